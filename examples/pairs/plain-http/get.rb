# Two pages on one connection, as the manual of Net::HTTP shows it; an argument is the time limit of each step in
# seconds, without a repetition.
require "net/http"

options = ARGV.empty? ? {} : { open_timeout: ARGV[0].to_f, read_timeout: ARGV[0].to_f, max_retries: 0 }
Net::HTTP.start("server", 80, **options) do |http|
  2.times do |i|
    sleep 1 if i > 0
    reply = http.get("/numbers")
    reply.value # raises unless it is a success
    print reply.body
  end
end
