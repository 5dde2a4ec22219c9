// Transactions by franz-go, default settings but no lingering: what `pnpm bench:txn` drives both servers with. Prints one line of JSON.
//
//	transaction-load transactions|pipeline SERVERS FROM TO RECORDS SECONDS
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
const (
	warmTransactions = 1000
	warmSeconds      = 2 // of pipelines, as the other clients warm them
)

// What a pipeline waits for the records of one transaction, the first time for its group, too: then there are none left.
const pollTimeout = 30 * time.Second

type figures struct {
	TransactionsPerSecond float64 `json:"transactionsPerSecond"`
	RecordsPerSecond      float64 `json:"recordsPerSecond"`
	P50                   float64 `json:"p50"`
	P99                   float64 `json:"p99"`
}

// Runs one transaction. Returns whether it was committed and what the commit took, in milliseconds.
type transact func() (bool, float64)

func main() {
	if len(os.Args) != 7 || os.Args[1] != "transactions" && os.Args[1] != "pipeline" {
		fmt.Fprintln(os.Stderr, "usage: transaction-load transactions|pipeline SERVERS FROM TO RECORDS SECONDS")
		os.Exit(2)
	}
	records, err := strconv.Atoi(os.Args[5])
	check(err)
	seconds, err := strconv.ParseFloat(os.Args[6], 64)
	check(err)
	name := "franz-go-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	common := []kgo.Opt{
		kgo.SeedBrokers(os.Args[2]),
		kgo.DefaultProduceTopic(os.Args[4]),
		kgo.TransactionalID(name),
		kgo.ProducerLinger(0),
	}
	var measured figures
	if os.Args[1] == "transactions" {
		measured = sequence(common, records, seconds)
	} else {
		measured = pipeline(common, name, os.Args[3], records, seconds)
	}
	check(json.NewEncoder(os.Stdout).Encode(measured))
}

func sequence(common []kgo.Opt, records int, seconds float64) figures {
	client, err := kgo.NewClient(common...)
	check(err)
	defer client.Close()
	next := func() (bool, float64) { return true, transaction(client, records) }
	for n := 0; n < warmTransactions; n++ {
		next()
	}
	return measure(next, records, seconds)
}

// All records acknowledged, then committed. Returns what the commit took, in milliseconds.
func transaction(client *kgo.Client, records int) float64 {
	ctx := context.Background()
	batch := make([]*kgo.Record, records)
	for i := range batch {
		batch[i] = &kgo.Record{Value: make([]byte, 100)}
	}
	check(client.BeginTransaction())
	check(client.ProduceSync(ctx, batch...).FirstErr())
	begun := time.Now()
	check(client.EndTransaction(ctx, kgo.TryCommit))
	return msSince(begun)
}

// Exactly once as franz-go recommends it: a session that aborts what a rebalance met.
func pipeline(common []kgo.Opt, group, from string, records int, seconds float64) figures {
	session, err := kgo.NewGroupTransactSession(append(common,
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(from),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)...)
	check(err)
	defer session.Close()
	next := func() (bool, float64) { return through(session, records) }
	next() // Waits for the group.
	measure(next, records, warmSeconds)
	return measure(next, records, seconds)
}

// So many records from one topic to the other. The commit begins with what records are still under way, and holds the offsets.
func through(session *kgo.GroupTransactSession, records int) (bool, float64) {
	ctx := context.Background()
	polling, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	check(session.Begin())
	for left := records; left > 0; {
		polled := session.PollRecords(polling, left)
		check(polled.Err())
		polled.EachRecord(func(record *kgo.Record) {
			session.Produce(ctx, &kgo.Record{Value: record.Value}, func(_ *kgo.Record, err error) { check(err) })
		})
		left -= polled.NumRecords()
	}
	begun := time.Now()
	committed, err := session.End(ctx, kgo.TryCommit)
	check(err)
	return committed, msSince(begun)
}

// Transactions of so many records, one after another for so long; those that were aborted do not count.
func measure(next transact, records int, seconds float64) figures {
	commits := []float64{}
	begun := time.Now()
	for time.Since(begun).Seconds() < seconds {
		if committed, took := next(); committed {
			commits = append(commits, took)
		}
	}
	rate := float64(len(commits)) / time.Since(begun).Seconds()
	sort.Float64s(commits)
	return figures{rate, rate * float64(records), commits[len(commits)/2], commits[len(commits)*99/100]}
}

func msSince(begun time.Time) float64 {
	return float64(time.Since(begun).Microseconds()) / 1000
}

func check(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
