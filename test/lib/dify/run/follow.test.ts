/** Runs whose stream does not contain their end (simulator of Dify 1.16): the record does. */
import { chat } from '../../../../lib/dify/run/chat';
import { submitHumanForm } from '../../../../lib/dify/forms/human-form';
import { RECOVERED_NOTE } from '../../../../lib/dify/run/endings';
import type { RunOptions } from '../../../../lib/dify/run/run';
import { followRun } from '../../../../lib/dify/run/follow';
import { runWorkflow } from '../../../../lib/dify/run/workflow';
import { PAGES, type DifySim, type Script, type Step } from '../../../servers/dify';
import { waitFor } from '../ask';
import { startScripted } from '../../../servers/scripted';
import { useSimulator } from '../../../servers/use-simulator';
import { calls, clientOf, failureOf, startApp, UNKNOWN_ID } from '../client';

const startServer = useSimulator(startScripted);

const FAST = { looksMs: [1], pauseMs: 1, maxPauseMs: 5, stoppedLooksMs: [0, 5, 20] };
const START: Step = { node: { id: 'start', type: 'start', title: 'Start' } };

/** A run that goes on only when it is told to. */
function gate() {
	let open = () => {};
	const wait = new Promise<void>((resolve) => (open = resolve));
	return { step: { wait } satisfies Step, open: () => open() };
}

async function startFlow(mode: 'workflow' | 'advanced-chat', script: Script): Promise<DifySim> {
	const sim = await startApp({ mode, reply: () => script });
	sim.stream = { pingEveryMs: 5 };
	return sim;
}

async function run(
	sim: DifySim,
	mode: 'workflow' | 'advanced-chat',
	{ waits, ...rest }: RunOptions = {},
) {
	const client = clientOf(sim, mode);
	const options = { ...rest, waits: { ...FAST, ...waits } };
	if (mode === 'workflow') return await runWorkflow(client, { inputs: {}, user: 'u1' }, options);
	const request = { query: 'hi', user: 'u1', conversation: { kind: 'new' as const }, inputs: {} };
	return (await chat(client, request, options)).result;
}

const MODES = ['workflow', 'advanced-chat'] as const;

describe.each(MODES)('a lost stream of 1.16: %s', (mode) => {
	const outputs = mode === 'workflow' ? { text: 'done' } : { answer: 'done', files: [] };

	// Recorded as reattach-workflow-snapshot and reattach-flow-snapshot: snapshot, some events, then pings for ever.
	test.each([1, 2, 3])(
		'cut after %i events, then attached to a stream that only pings',
		async (events) => {
			const { step, open } = gate();
			const steps: Step[] = [
				START,
				{ text: 'do' },
				step,
				{ text: 'ne' },
				{ node: { id: 'a' } },
				{ node: { id: 'b' } },
			];
			const sim = await startFlow(mode, { steps, outputs });
			sim.stream = { cut: { events, how: 'eof' }, pingEveryMs: 5 };
			const shown: string[] = [];
			const onDeltas: RunOptions['onDeltas'] = async (deltas) => {
				for (const { type, text } of deltas) {
					if (type === 'replace') shown.splice(0);
					shown.push(text);
				}
			};
			const running = run(sim, mode, { onDeltas });
			await waitFor(() => sim.requests.some(({ path }) => path.endsWith('/events')));
			sim.stream = { pingEveryMs: 5 };
			open();
			const result = await running;
			expect(result).toMatchObject({ status: 'succeeded', text: 'done', workflow: { outputs } });
			expect(result.warnings).toContain(RECOVERED_NOTE);
			expect(shown.join('')).toBe('done');
			expect(calls(sim, mode === 'workflow' ? '/workflows/run' : '/chat-messages')).toBe(1);
		},
	);

	test('a limit runs out although the run has ended: its record is the result, and nothing is stopped', async () => {
		const { step, open } = gate();
		const sim = await startFlow(mode, { steps: [START, step, { text: 'done' }], outputs });
		sim.stream = { cut: { events: 2, how: 'silence' } };
		const running = run(sim, mode, { waits: { looksMs: [60_000] }, limits: { idleMs: 150 } });
		await waitFor(() => sim.runs[0]?.events.length === 3);
		open();
		expect(await running).toMatchObject({ status: 'succeeded', workflow: { outputs } });
		expect(sim.stops).toHaveLength(0);
	});

	test.each([
		['connections that are closed', { how: 'reset' as const }],
		['a proxy without a server', { status: 502, body: PAGES.nginx502 }],
	])(
		'an API that starts anew in mid-run: %s',
		async (_name, fault) => {
			const sim = await startFlow(mode, {
				steps: [START, { text: 'done' }, { wait: 50 }],
				outputs,
			});
			sim.stream = { cut: { events: 2, how: 'reset' } };
			sim.fail({ method: 'GET', path: /^\/workflow/, times: 25, ...fault });
			expect(await run(sim, mode)).toMatchObject({ status: 'succeeded', text: 'done' });
		},
		30_000,
	);

	test('an API that takes connections before it answers: the run is neither given up nor stopped', async () => {
		const sim = await startFlow(mode, {
			steps: [START, { text: 'done' }, { wait: 50 }],
			outputs,
		});
		sim.stream = { cut: { events: 2, how: 'reset' } };
		sim.fail({ method: 'GET', path: /events/, times: 2, how: 'silence' });
		sim.fail({ method: 'GET', path: /workflows.run/, times: 2, status: 503, body: '' });
		const options = { waits: { openMs: 50 }, limits: { firstByteMs: 20_000 } };
		expect(await run(sim, mode, options)).toMatchObject({ status: 'succeeded', text: 'done' });
		expect(sim.stops).toHaveLength(0);
	});

	test('an API that does not come back: the error names the way to the run', async () => {
		const sim = await startFlow(mode, {
			steps: [START, { text: 'do' }, { wait: 50 }],
			outputs,
		});
		sim.stream = { cut: { events: 2, how: 'reset' } };
		sim.fail({ method: 'GET', path: /^\/workflow/, times: 999, status: 502, body: PAGES.nginx502 });
		const failed = await failureOf(run(sim, mode, { limits: { progressMs: 300 } }));
		expect(failed.remedy).toContain('Follow');
		expect(failed.remedy).toContain(sim.runs[0]!.workflowRunId!);
		expect(failed.facts.workflowRunId).toBe(sim.runs[0]!.workflowRunId);
	});
});

test('without an earlier reader, the record is not polled while events arrive', async () => {
	const sim = await startFlow('workflow', {
		steps: [START, { wait: 30 }],
		outputs: { a: 1 },
	});
	await run(sim, 'workflow', { waits: { looksMs: [60_000] } });
	expect(sim.requests).toHaveLength(1);
});

describe('a form of a workflow app', () => {
	const form = {
		nodeId: 'ask',
		nodeTitle: 'Ask',
		content: '?',
		actions: [{ id: 'ok', title: 'OK' }],
	};

	// Recorded as human-wf-*: the run is aborted by Dify itself, and its stream may say nothing of it.
	test.each([0, 99])(
		'aborted by 1.16 after its form, with %i events: outputs and words of the record',
		async (heard) => {
			const script: Script = {
				steps: [START, { pause: [form] }, { node: { id: 'end' } }],
				stopped: 'Aborted: App task was stopped',
				outputs: { note: 'yes' },
			};
			const sim = await startFlow('workflow', script);
			const client = clientOf(sim, 'workflow');
			const paused = await run(sim, 'workflow');
			const token = paused.pause!.forms[0]!.formToken!;
			sim.stream = { pingEveryMs: 5, deafAfter: heard };
			await submitHumanForm(client, token, { action: 'ok', inputs: {}, user: 'u1' });
			const following = { waits: FAST };
			const result = await followRun(client, paused.workflowRunId!, 'u1', following);
			expect(result).toMatchObject({ status: 'stopped', workflow: { outputs: { note: 'yes' } } });
			expect(result.warnings.join()).toContain('Aborted: App task was stopped');
		},
	);

	test('the stream has words of its own for it: those of the record count', async () => {
		const run = { task_id: 't', workflow_run_id: UNKNOWN_ID };
		const record = {
			id: UNKNOWN_ID,
			status: 'stopped',
			error: 'Aborted: App task was stopped',
			outputs: { note: 'yes' },
		};
		const data = { ...record, error: 'Stopped by user.', outputs: {} };
		const { url } = await startServer(({ path }, response) => {
			const isStream = path.includes('/events');
			response.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
			response.end(
				isStream
					? `data: ${JSON.stringify({ event: 'workflow_finished', ...run, data })}\n\n`
					: JSON.stringify(record),
			);
		});
		const following = { waits: FAST };
		const result = await followRun(clientOf({ url }, 'workflow'), UNKNOWN_ID, 'u1', following);
		expect(result).toMatchObject({ status: 'stopped', workflow: { outputs: { note: 'yes' } } });
		expect(result.warnings.join()).toContain('Dify says: "Aborted: App task was stopped"');
	});
});
