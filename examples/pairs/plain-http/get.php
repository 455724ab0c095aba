<?php
// Two pages, as the manual of file_get_contents shows it. Its time limit is default_socket_timeout of php.ini.
for ($i = 0; $i < 2; ++$i) {
    if ($i > 0) {
        sleep(1);
    }
    $page = file_get_contents("http://server/numbers");
    if ($page === false) {
        exit(1);
    }
    echo $page;
}
