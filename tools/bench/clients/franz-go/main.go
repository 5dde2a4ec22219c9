// Transactions of one record, one after another, by franz-go: what `pnpm bench:txn` drives both servers with. Prints one line of JSON.
//
//	transaction-load BOOTSTRAP_SERVERS TOPIC SECONDS
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Before anything is measured: the client learns of its coordinator and leaders, the server compiles.
const warmTransactions = 1000

type figures struct {
	TransactionsPerSecond float64 `json:"transactionsPerSecond"`
	RecordsPerSecond      float64 `json:"recordsPerSecond"`
	P50                   float64 `json:"p50"`
	P99                   float64 `json:"p99"`
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: transaction-load BOOTSTRAP_SERVERS TOPIC SECONDS")
		os.Exit(2)
	}
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	check(err)
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Args[1]),
		kgo.DefaultProduceTopic(os.Args[2]),
		kgo.TransactionalID("franz-go-"+strconv.FormatInt(time.Now().UnixNano(), 36)),
		kgo.ProducerLinger(0),
	)
	check(err)
	defer client.Close()
	for n := 0; n < warmTransactions; n++ {
		transaction(client)
	}
	commits := []float64{}
	begun := time.Now()
	for time.Since(begun).Seconds() < seconds {
		commits = append(commits, transaction(client))
	}
	rate := float64(len(commits)) / time.Since(begun).Seconds()
	sort.Float64s(commits)
	check(json.NewEncoder(os.Stdout).Encode(figures{rate, rate, commits[len(commits)/2], commits[len(commits)*99/100]}))
}

// One record, acknowledged and committed. Returns what the commit took, in milliseconds.
func transaction(client *kgo.Client) float64 {
	ctx := context.Background()
	check(client.BeginTransaction())
	check(client.ProduceSync(ctx, &kgo.Record{Value: make([]byte, 100)}).FirstErr())
	begun := time.Now()
	check(client.EndTransaction(ctx, kgo.TryCommit))
	return float64(time.Since(begun).Microseconds()) / 1000
}

func check(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
