import type { IRunExecutionData, WorkflowExecuteMode } from 'n8n-workflow';

import { CancelPoller } from '../../../nodes/shared/cancel-poller';
import { setTimeout as delay } from 'node:timers/promises';

/** The execution in n8n's database after Stop. */
const STOPPED = { message: 'The execution was cancelled manually' };

interface Setup {
	mode?: WorkflowExecuteMode;
	/** n8n's own cancel signal. */
	signal?: AbortSignal;
	/** Results of the polls in order; the last one repeats. An error: the database does not respond. */
	errors?: Array<{ message: string; name?: string } | Error | undefined>;
	id?: string;
	/** Duration of a poll. */
	lookMs?: number;
}

function watchOf({
	mode = 'webhook',
	signal,
	errors = [undefined],
	id = '17',
	lookMs = 0,
}: Setup = {}) {
	let looks = 0;
	let now = 0;
	const watch = new CancelPoller(
		{
			getMode: () => mode,
			getExecutionId: () => id,
			getExecutionCancelSignal: () => signal,
			getExecutionDataById: async (asked) => {
				expect(asked).toBe('17');
				now += lookMs;
				const error = errors[Math.min(looks++, errors.length - 1)];
				if (error instanceof Error) throw error;
				return await Promise.resolve({
					resultData: { error, runData: {} },
				} as unknown as IRunExecutionData);
			},
		},
		5,
		() => now,
	);
	return { watch, looks: () => looks };
}

const aborted = async ({ signal }: CancelPoller): Promise<void> =>
	await new Promise((resolve) =>
		signal!.aborted ? resolve() : signal!.addEventListener('abort', () => resolve()),
	);

const looksAtLeast = async (count: number, looks: () => number): Promise<void> => {
	while (looks() < count) await delay(1);
};

describe('polling for a stop that n8n records only in its database', () => {
	it('ends the work when the execution is canceled', async () => {
		const { watch, looks } = watchOf({ errors: [undefined, undefined, STOPPED] });
		const isOver = watch.begin();
		await aborted(watch);
		expect(looks()).toBe(3);
		isOver();
	});

	it('ends the work when the queue has abandoned the execution', async () => {
		const { watch, looks } = watchOf({
			errors: [{ message: 'job stalled more than allowable limit' }],
		});
		const isOver = watch.begin();
		await aborted(watch);
		expect(looks()).toBe(1);
		isOver();
	});

	it('continues if a newly started n8n process considers the execution crashed', async () => {
		const crashed = {
			name: 'WorkflowCrashedError',
			message: 'Workflow did not finish, possible out-of-memory issue',
		};
		const { watch, looks } = watchOf({ errors: [undefined, crashed] });
		const isOver = watch.begin();
		await looksAtLeast(4, looks);
		expect(watch.signal?.aborted).toBe(false);
		isOver();
	});

	it('continues while the database does not respond', async () => {
		const { watch, looks } = watchOf({ errors: [new Error('ECONNREFUSED'), undefined] });
		const isOver = watch.begin();
		await looksAtLeast(4, looks);
		expect(watch.signal?.aborted).toBe(false);
		isOver();
	});

	it('polls only while there is work', async () => {
		const { watch, looks } = watchOf();
		const [one, other] = [watch.begin(), watch.begin()];
		await looksAtLeast(1, looks);
		one();
		one();
		const before = looks();
		await looksAtLeast(before + 1, looks);
		other();
		// A look may be under way.
		await delay(20);
		const after = looks();
		await delay(50);
		expect(looks()).toBe(after);
		const stopSecond = watch.begin();
		await looksAtLeast(after + 1, looks);
		stopSecond();
	});

	it('does not poll for executions of the main process, whose Stop arrives', async () => {
		for (const mode of ['manual', 'trigger', 'integrated'] as const) {
			const { watch, looks } = watchOf({ mode, errors: [STOPPED] });
			const isOver = watch.begin();
			await delay(30);
			isOver();
			expect({ looks: looks(), aborted: watch.signal?.aborted }).toEqual({
				looks: 0,
				aborted: undefined,
			});
		}
	});

	it("passes n8n's own Stop on", () => {
		const own = new AbortController();
		const { watch } = watchOf({ signal: own.signal });
		expect(watch.signal?.aborted).toBe(false);
		own.abort();
		expect(watch.signal?.aborted).toBe(true);
	});

	it('works if n8n does not have the query', async () => {
		const watch = new CancelPoller(
			{
				getMode: () => 'webhook',
				getExecutionId: () => '17',
				getExecutionCancelSignal: () => undefined,
			},
			5,
		);
		const isOver = watch.begin();
		await delay(30);
		isOver();
		expect(watch.signal?.aborted).toBe(false);
	});

	it('polls less often if a query is slow: the database holds all results of the execution', async () => {
		const [slow, quick] = [watchOf({ lookMs: 400 }), watchOf()];
		const over = [slow.watch.begin(), quick.watch.begin()];
		await looksAtLeast(1, slow.looks);
		await looksAtLeast(quick.looks() + 8, quick.looks);
		expect(slow.looks()).toBe(1);
		for (const isOver of over) isOver();
	});

	it('does not poll without an execution ID: the database would return its first execution', async () => {
		const { watch, looks } = watchOf({ id: '', errors: [STOPPED] });
		const isOver = watch.begin();
		await delay(30);
		isOver();
		expect({ looks: looks(), aborted: watch.signal?.aborted }).toEqual({
			looks: 0,
			aborted: false,
		});
	});

	it('ends with the node, even if a reader did not close its stream', async () => {
		const { watch, looks } = watchOf();
		const left = watch.begin();
		await looksAtLeast(1, looks);
		watch.close();
		// A look may be under way.
		await delay(20);
		const after = looks();
		await delay(50);
		expect(looks()).toBe(after);
		// A late result of the old work does not end the new one.
		const isOver = watch.begin();
		left();
		await looksAtLeast(after + 2, looks);
		isOver();
	});

	it('continues if the execution is missing in the database, or waits', async () => {
		let looks = 0;
		const watch = new CancelPoller(
			{
				getMode: () => 'webhook',
				getExecutionId: () => '17',
				getExecutionCancelSignal: () => undefined,
				getExecutionDataById: async () =>
					await Promise.resolve(
						looks++ % 2 === 0
							? undefined
							: ({
									resultData: { runData: {} },
									waitTill: new Date(),
								} as unknown as IRunExecutionData),
					),
			},
			5,
		);
		const isOver = watch.begin();
		await looksAtLeast(4, () => looks);
		expect(watch.signal?.aborted).toBe(false);
		isOver();
	});
});
