/**
 * Promises to users. What waits for something, or until Stop, leaves no listener on the signal of its execution: a long
 * execution has one signal for thousands of requests and pauses, and Node warns of more than ten listeners.
 */
import { getEventListeners } from 'node:events';
import { followRun } from '../../lib/dify/run/follow-run';
import { rejectOnAbort } from '../../lib/http/abort';
import { acquirePermit } from '../../lib/http/queue';
import { request } from '../../lib/http/request';
import type { RequestOptions } from '../../lib/http/types';
import { sleepWithAbort } from '../../lib/http/sleep';
import { Watchdog } from '../../lib/http/timeouts';
import { pollUntil } from '../../lib/servers/poll-until';
import { createServerError } from '../../lib/errors/create-error';
import { TASK_LIMITS } from '../../lib/task-limits';
import { events, RUN, stream, useDify } from '../lib/dify/run/scripted-dify';
import { json, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';

const start = useServers();
const startDify = useDify();
const { started, finished } = events;

const endpoint = (origin: string) => ({
	url: { typed: origin, origin, root: origin, api: origin },
	id: origin,
	headers: {},
	ignoreSslIssues: false,
	maxConcurrentRequests: 1,
	getSlots: () => undefined,
	secrets: [],
	errorContext: {},
});

async function send(signal: AbortSignal, options: Partial<RequestOptions> = {}) {
	const busy = json({ error: 'busy' }, 429, { 'retry-after': '0' });
	const { url } = await start({ 'GET /x': [busy, busy, json({ ok: true })] });
	const limits = TASK_LIMITS.probe.received;
	await request(
		endpoint(url),
		{ url: `${url}/x`, signal, limits, ...options },
		async (response) => {
			await response.text();
		},
	);
}

async function follow(signal: AbortSignal, answer: Answer) {
	const { client } = await startDify({ [`GET /v1/workflow/${RUN}/events`]: answer }, signal);
	await followRun(client, { runId: RUN, user: 'u' });
}

const never = async () => await new Promise<never>(() => {});
const stats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
const permit = { priority: 'interactive', stats, preempt: () => false } as const;

/** Everything that listens to a signal. Each is called ten times with one signal. */
const WAITS: Array<{
	what: string;
	wait: (signal: AbortSignal, count: number) => Promise<unknown>;
}> = [
	{ what: 'a pause', wait: async (signal) => await sleepWithAbort(1, signal) },
	{ what: 'a pause of no time', wait: async (signal) => await sleepWithAbort(0, signal) },
	{
		what: 'work',
		wait: async (signal) => await rejectOnAbort(signal, async () => await Promise.resolve()),
	},
	{
		what: 'work that fails',
		wait: async (signal) =>
			await rejectOnAbort(signal, async () => await Promise.reject(new Error())),
	},
	{
		what: 'polls',
		wait: async (signal) => {
			let polls = 0;
			const poll = async () => await Promise.resolve(++polls > 3 ? polls : undefined);
			const toError = () => createServerError('totalTimeout', {});
			return await pollUntil({ timeoutMs: 1_000, pauseMs: 1, signal }, poll, toError);
		},
	},
	{
		what: 'the timeouts of a request',
		wait: async (signal) => {
			new Watchdog({ firstTokenMs: 0, idleMs: 0 }, signal).stop();
			await Promise.resolve();
		},
	},
	{
		what: 'the queue',
		wait: async (signal, count) => {
			const first = await acquirePermit(`queue ${count}`, 1, { ...permit, signal });
			const second = acquirePermit(`queue ${count}`, 1, { ...permit, signal });
			first.release();
			(await second).release();
		},
	},
	{ what: 'a request', wait: async (signal) => await send(signal, { maxRetries: 2 }) },
	{
		what: 'a request in the queue',
		wait: async (signal) => await send(signal, { maxRetries: 2, priority: 'batch' }),
	},
	{ what: 'a request that fails', wait: async (signal) => await send(signal) },
	{
		what: 'a run of Dify',
		wait: async (signal) => await follow(signal, stream([started, finished('succeeded', {})])),
	},
	{
		what: 'a run of Dify that fails',
		wait: async (signal) => await follow(signal, json({ code: 'x', message: 'x' }, 500)),
	},
];

test.each(WAITS)('leaves no listener on the signal: $what', async ({ wait }) => {
	const { signal } = new AbortController();
	for (let count = 0; count < 10; count++) await wait(signal, count).catch(() => undefined);
	expect({ listeners: getEventListeners(signal, 'abort').length }).toEqual({ listeners: 0 });
});

test('Stop ends each wait, and takes its listener', async () => {
	const stop = new AbortController();
	const waits = [
		sleepWithAbort(60_000, stop.signal),
		rejectOnAbort(stop.signal, never),
		pollUntil(
			{ timeoutMs: 60_000, signal: stop.signal },
			async () => await Promise.resolve(undefined),
			() => createServerError('totalTimeout', {}),
		),
	];
	const outcomes = Promise.allSettled(waits);
	stop.abort(new Error('stopped'));
	const states = (await outcomes).map(({ status }) => status);
	const left = getEventListeners(stop.signal, 'abort').length;
	expect({ states, left }).toEqual({ states: ['rejected', 'rejected', 'rejected'], left: 0 });
});
