// SPDX-License-Identifier: BSD-2-Clause

// The same workload as twice.c, from Go's runtime: threads with tiny stacks and system calls of its own.
package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	for i := 0; i < 2; i++ {
		child := exec.Command("/bin/true")
		if err := child.Run(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("child", child.Process.Pid)
	}
	os.Exit(5)
}
