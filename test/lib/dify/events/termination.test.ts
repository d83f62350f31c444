import {
	createRun,
	resultByEvents,
	LATE_EVENTS_MS,
	reduce,
	type RunState,
} from '../../../../lib/dify/events';
import { AWAITS_SECOND_END, isUnfinished, nextStep } from '../../../../lib/dify/events/termination';
import { SAMPLES, type Script, type Step } from '../../../servers/dify';
import { CHATFLOW, ENV, lines, playScript, playText, said, scriptText } from '../play';

describe('what the events mean', () => {
	const failing: Script = {
		steps: [
			{ node: { id: 'n1' } },
			...said('par'),
			{ node: { id: 'n2', status: 'failed', error: 'no key' } },
		],
		fail: 'no key',
	};

	test('case 53: chatflow failure of 1.14 ends with the run, after a grace for an error that may follow', () => {
		const played = playScript(CHATFLOW, failing);
		expect(played).toMatchObject({ next: 'awaitLateEvents', closeAfterMs: LATE_EVENTS_MS });
		expect(played.result).toMatchObject({
			status: 'failed',
			text: 'par',
			error: { cause: 'runFailed', message: 'no key' },
		});
	});

	test('case 55: a moderated chatflow is a success at once ()', () => {
		const text = scriptText(CHATFLOW, { steps: said('No.'), moderated: true });
		const played = playText(`${text}event: ping\n\n`);
		expect(played).toMatchObject({ closed: true, result: { status: 'succeeded', text: 'No.' } });
		expect(played.result.workflow).toBeUndefined();
	});

	test('case 55: a message_end that is not the end of a chatflow: 1.14 sends workflow_finished after it', () => {
		const state = createRun();
		reduce(state, { event: 'workflow_started', ...ENV, data: { id: 'r' } });
		expect(reduce(state, { event: 'message_end', ...ENV }).next).toBe('continue');
	});

	test('case 57: closes at error, and nothing after it counts ()', () => {
		for (const mode of ['chat', CHATFLOW, 'agent-chat', 'completion', 'workflow'] as const) {
			const error: Step = {
				error: { code: 'internal_server_error', status: 500, message: 'broken' },
			};
			const text = scriptText(mode, { steps: [...said('x'), error] });
			const played = playText(`${text}event: ping\n\n${lines({ event: 'message', answer: 'y' })}`);
			expect(played).toMatchObject({
				closed: true,
				result: { status: 'failed', text: 'x', error: { code: 'internal_server_error' } },
			});
		}
	});

	test('case 57: one packet or two, what comes after the end never counts', () => {
		const state = createRun();
		reduce(state, { event: 'message', ...ENV, answer: 'x' });
		reduce(state, { event: 'message_end', ...ENV });
		const late = reduce(state, { event: 'error', message: 'late' });
		expect(late).toMatchObject({ deltas: [], next: 'close' });
		expect(resultByEvents(state, 'closed')).toMatchObject({ status: 'succeeded', text: 'x' });
	});

	test('the end of a chatflow needs both of its events', () => {
		const text = scriptText(CHATFLOW, SAMPLES.chatflow);
		const half = text.slice(0, text.lastIndexOf('data: '));
		const lost = 'workflow_finished';
		expect(playText(half)).toMatchObject({
			next: 'continue',
			result: {
				status: 'failed',
				text: 'Hello',
				error: {
					cause: 'endedEarly',
					message: `The stream ended early: Dify closed it before the result was complete (${lost} is missing)`,
				},
			},
		});
	});
});

describe('when a run is over', () => {
	const over = (change: Partial<RunState>) => nextStep({ ...createRun(), ...change });
	const workflow = { status: 'running', nodes: [], agentLogs: [] };
	const end = (status: string, alone = false) => ({ workflowEnd: { status, alone } });

	test.each<[string, Partial<RunState>, ReturnType<typeof nextStep>]>([
		['nothing came yet', {}, { next: 'continue' }],
		['a chat ended', { messageEnded: true }, { next: 'close' }],
		[
			'message_end of a chatflow, which comes first',
			{ messageEnded: true, workflow },
			AWAITS_SECOND_END,
		],
		[
			'both events of a chatflow',
			{ messageEnded: true, workflow, ...end('succeeded') },
			{ next: 'close' },
		],
		[
			'the workflow succeeded, message_end follows',
			{ workflow, ...end('succeeded') },
			AWAITS_SECOND_END,
		],
		[
			'a failed chatflow, an error may follow',
			{ workflow, ...end('failed') },
			{ next: 'awaitLateEvents', closeAfterMs: LATE_EVENTS_MS },
		],
		[
			'a stopped chatflow',
			{ workflow, ...end('stopped') },
			{ next: 'awaitLateEvents', closeAfterMs: LATE_EVENTS_MS },
		],
		['a workflow app', { workflow, ...end('partial-succeeded', true) }, { next: 'close' }],
		['a failed workflow app', { workflow, ...end('failed', true) }, { next: 'close' }],
		['an error', { streamError: { cause: 'errorEvent', message: 'm' } }, { next: 'close' }],
		[
			'a pause',
			{ workflow, pause: { forms: [], reasons: [] } as unknown as RunState['pause'] },
			{ next: 'close' },
		],
	])('%s', (_name, change, step) => {
		expect(over(change)).toEqual(step);
		expect(isUnfinished({ ...createRun(), ...change })).toBe(step.next === 'continue');
	});
});
