// Go without cgo: the socket options by net.Dialer's Control, which has the descriptor, and the words from a table.
// Control runs before connect, so the limit is connecting's too. Go itself sets SO_KEEPALIVE and its figures after that,
// hence KeepAlive: -1. It asks a line and reads a line.
//
//	python3 ../tables.py go 10 | gofmt >halfopen_tables.go && go build -o ask .
//	./ask 127.0.0.1:7
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

const tcpUserTimeout = 18 // TCP_USER_TIMEOUT, which package syscall has not

func setLiveness(_, _ string, c syscall.RawConn) (err error) {
	control := c.Control(func(fd uintptr) {
		for _, o := range [][3]int{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, keepIdle},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, keepIntvl},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, keepCnt},
			{syscall.IPPROTO_TCP, tcpUserTimeout, userTimeout},
		} {
			if err == nil {
				err = syscall.SetsockoptInt(int(fd), o[0], o[1], o[2])
			}
		}
	})
	if control != nil {
		return control
	}
	return err
}

func ended(during, when string, err error) {
	var number syscall.Errno
	name, how := "", "deadline_passed"
	if errors.As(err, &number) {
		name = errnoNames[int(number)]
	}
	if name != "" || errors.Is(err, io.EOF) {
		how = endings[during+" "+name]
		if how == "" {
			how = "local_failure"
		}
	}
	fmt.Printf("%s while %s: %s: %v\n", how, when, during, err)
	os.Exit(1)
}

func main() {
	dialer := net.Dialer{KeepAlive: -1, Control: setLiveness}
	connection, err := dialer.Dial("tcp", os.Args[1])
	if err != nil {
		ended("connect", "connecting", err)
	}
	if _, err = connection.Write([]byte("ask\n")); err != nil {
		ended("write", "sending", err)
	}
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil && line == "" {
		ended("read", "awaiting_reply", err)
	} else if err != nil {
		ended("read", "receiving_reply", err)
	}
	fmt.Print(line)
}
