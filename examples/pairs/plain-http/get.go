// Two pages, as the manual of net/http shows it; an argument is the time limit of each.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func page(client *http.Client) {
	reply, err := client.Get("http://server/numbers")
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", reply.Status)
	}
	if err == nil {
		defer reply.Body.Close()
		_, err = io.Copy(os.Stdout, reply.Body)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	client := http.DefaultClient
	if len(os.Args) > 1 {
		limit, err := time.ParseDuration(os.Args[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		client = &http.Client{Timeout: limit}
	}
	page(client)
	time.Sleep(time.Second)
	page(client)
}
