import type { IRunExecutionData, WorkflowExecuteMode } from 'n8n-workflow';

import { CancelPoller } from '../../../lib/n8n/cancel-poller';
import { until } from '../../support/servers/scripted-server';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

/** The execution in n8n's database after Stop. */
const STOPPED = { message: 'The execution was cancelled manually' };

type Record = IRunExecutionData | undefined;
const toRecord = (error?: object, more: object = {}) =>
	({ resultData: { error, runData: {} }, ...more }) as unknown as Record;

interface Setup {
	mode?: WorkflowExecuteMode;
	/** n8n's own cancel signal. */
	signal?: AbortSignal;
	/** Results of the polls in order; the last one repeats. An error: the database does not respond. */
	records?: Array<Record | Error>;
	id?: string;
	/** Duration of a poll. */
	lookMs?: number;
	hasQuery?: boolean;
}

/** A poller, whose work begins at once. */
function startWatch({
	mode = 'webhook',
	signal,
	records = [toRecord()],
	id = '17',
	lookMs = 0,
	hasQuery = true,
}: Setup = {}) {
	let looks = 0;
	let now = 0;
	const getExecutionDataById = async (asked: string) => {
		expect(asked).toBe('17');
		now += lookMs;
		const record = records[Math.min(looks++, records.length - 1)];
		if (record instanceof Error) throw record;
		return await Promise.resolve(record);
	};
	const watch = new CancelPoller(
		{
			getMode: () => mode,
			getExecutionId: () => id,
			getExecutionCancelSignal: () => signal,
			...(hasQuery && { getExecutionDataById }),
		},
		5,
		lookMs === 0 ? undefined : () => now,
	);
	return { watch, isOver: watch.begin(), looks: () => looks };
}

const aborted = async ({ signal }: CancelPoller): Promise<void> =>
	await until(
		() => signal!.aborted,
		() => 'the end of the work, because its execution has ended in the database',
	);

/** Until there were so many polls; a poller that has aborted polls no more. */
const looksAtLeast = async (
	count: number,
	{ watch, looks }: Pick<ReturnType<typeof startWatch>, 'watch' | 'looks'>,
): Promise<void> =>
	await until(
		() => looks() >= count || watch.signal?.aborted === true,
		() => `${count} polls; there were ${looks()}`,
	);

describe('polling for a stop that n8n records only in its database', () => {
	it.each([
		['the execution is canceled', [toRecord(), toRecord(), toRecord(STOPPED)]],
		[
			'the queue has abandoned the execution',
			[toRecord({ message: 'job stalled more than allowable limit' })],
		],
	])('ends the work when %s', async (_when, records) => {
		const { watch, looks, isOver } = startWatch({ records });
		await aborted(watch);
		expect(looks()).toBe(records.length);
		isOver();
	});

	const crashed = {
		name: 'WorkflowCrashedError',
		message: 'Workflow did not finish, possible out-of-memory issue',
	};
	it.each<[string, Array<Record | Error>]>([
		['if a new n8n process considers the execution crashed', [toRecord(), toRecord(crashed)]],
		['while the database does not respond', [new Error('ECONNREFUSED'), toRecord()]],
		[
			'if the execution is missing in the database, or waits',
			[undefined, toRecord(undefined, { waitTill: new Date() }), undefined],
		],
	])('continues %s', async (_when, records) => {
		const { watch, looks, isOver } = startWatch({ records });
		await looksAtLeast(4, { watch, looks });
		expect(watch.signal?.aborted).toBe(false);
		isOver();
	});

	it('polls only while there is work', async () => {
		const { watch, looks, isOver: one } = startWatch();
		const other = watch.begin();
		await looksAtLeast(1, { watch, looks });
		one();
		one();
		const before = looks();
		await looksAtLeast(before + 1, { watch, looks });
		other();
		// A look may be under way.
		await delay(20);
		const after = looks();
		await delay(50);
		expect(looks()).toBe(after);
		const stopSecond = watch.begin();
		await looksAtLeast(after + 1, { watch, looks });
		stopSecond();
	});

	it('polls also while other work begins before each poll', async () => {
		const { watch, looks, isOver } = startWatch();
		const others: Array<() => void> = [];
		for (let count = 0; count < 10; count++) {
			const startedAt = performance.now();
			// The next poll is due when the work begins.
			while (performance.now() - startedAt < 6);
			others.push(watch.begin());
			await new Promise((resolve) => setImmediate(resolve));
		}
		expect(looks()).toBeGreaterThan(0);
		for (const end of [isOver, ...others]) end();
	});

	it.each<[string, Setup, boolean | undefined]>([
		['executions of the main process, whose Stop arrives', { mode: 'manual' }, undefined],
		['those of a trigger', { mode: 'trigger' }, undefined],
		['those of a sub-workflow', { mode: 'integrated' }, undefined],
		['an execution without an ID: the database would return its first one', { id: '' }, false],
		['an n8n without the query', { hasQuery: false }, false],
	])('does not poll for %s', async (_what, setup, isAborted) => {
		const { watch, looks, isOver } = startWatch({ records: [toRecord(STOPPED)], ...setup });
		await delay(30);
		isOver();
		expect([looks(), watch.signal?.aborted]).toEqual([0, isAborted]);
	});

	it("passes n8n's own Stop on", () => {
		const own = new AbortController();
		const { watch, isOver } = startWatch({ signal: own.signal });
		expect(watch.signal?.aborted).toBe(false);
		own.abort();
		expect(watch.signal?.aborted).toBe(true);
		isOver();
	});

	it('polls less often if a query is slow: the database holds all results of the execution', async () => {
		const [slow, quick] = [startWatch({ lookMs: 400 }), startWatch()];
		await looksAtLeast(1, slow);
		await looksAtLeast(quick.looks() + 8, quick);
		expect(slow.looks()).toBe(1);
		for (const { isOver } of [slow, quick]) isOver();
	});

	it('ends with the node, even if a reader did not close its stream', async () => {
		const { watch, looks, isOver: left } = startWatch();
		await looksAtLeast(1, { watch, looks });
		watch.close();
		// A look may be under way.
		await delay(20);
		const after = looks();
		await delay(50);
		expect(looks()).toBe(after);
		// A late result of the old work does not end the new one.
		const isOver = watch.begin();
		left();
		await looksAtLeast(after + 2, { watch, looks });
		isOver();
	});
});
