// etcd-reads drives a closed loop of reads of one key of 256 bytes against etcd, and prints one line of JSON.
// usage: etcd-reads -addrs URLS -levels N -size B -warm 2s -dur 5s linearizable|serializable
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd-reads:", err)
		os.Exit(1)
	}
}

func main() {
	_ = flag.String("peer", "", "name in the output (unused)")
	addrs := flag.String("addrs", "", "addresses, with commas")
	level := flag.Int("levels", 1, "reads in flight")
	size := flag.Int("size", 256, "bytes of the value")
	warm := flag.Duration("warm", 2*time.Second, "before the measurement")
	dur := flag.Duration("dur", 5*time.Second, "of the measurement")
	conns := flag.Int("conns", 4, "connections at most")
	flag.Parse()

	// The leader, as the writers have it: a linearizable read of a follower takes a hop more.
	endpoint := ""
	for _, a := range strings.Split(*addrs, ",") {
		c, err := clientv3.New(clientv3.Config{Endpoints: []string{a}, DialTimeout: 2 * time.Second})
		fail(err)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		st, err := c.Status(ctx, a)
		cancel()
		if err == nil && st.Leader == st.Header.MemberId {
			endpoint = a
		}
		c.Close()
	}
	if endpoint == "" {
		fail(fmt.Errorf("no leader among %s", *addrs))
	}
	n := min(*conns, *level)
	clients := make([]*clientv3.Client, n)
	for i := range clients {
		c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 2 * time.Second})
		fail(err)
		defer c.Close()
		clients[i] = c
	}
	_, err := clients[0].Put(context.Background(), "read-me", strings.Repeat("x", *size))
	fail(err)
	var opts []clientv3.OpOption
	if flag.Arg(0) == "serializable" {
		opts = append(opts, clientv3.WithSerializable())
	}
	var phase atomic.Int32 // 0 warming, 1 measuring, 2 over
	var errors atomic.Int64
	all := make([][]float64, *level)
	var group sync.WaitGroup
	for w := 0; w < *level; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for phase.Load() != 2 {
				from := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				_, err := clients[w%n].Get(ctx, "read-me", opts...)
				cancel()
				if phase.Load() != 1 {
					continue
				}
				if err != nil {
					errors.Add(1)
					continue
				}
				all[w] = append(all[w], float64(time.Since(from).Nanoseconds())/1e6)
			}
		}()
	}
	time.Sleep(*warm)
	phase.Store(1)
	from := time.Now()
	time.Sleep(*dur)
	phase.Store(2)
	seconds := time.Since(from).Seconds()
	group.Wait()
	var ms []float64
	for _, own := range all {
		ms = append(ms, own...)
	}
	sort.Float64s(ms)
	at := func(share float64) float64 {
		if len(ms) == 0 {
			return 0
		}
		return ms[min(len(ms)-1, int(share*float64(len(ms))))]
	}
	line, _ := json.Marshal(map[string]any{
		"concurrency": *level, "ops_per_s": float64(len(ms)) / seconds, "errors": errors.Load(),
		"p50_ms": at(0.5), "p99_ms": at(0.99), "p999_ms": at(0.999),
	})
	fmt.Println(string(line))
}
