import * as fc from 'fast-check';
import { SAMPLES, type Script, type Step } from '../../../servers/dify';
import { CHATFLOW, ENV, lines, playScript, playText, said, scriptText, stoppedText } from '../play';

describe('what the events mean', () => {
	test('case 60: paused, with run id and forms, with and without a token ()', () => {
		for (const mode of [CHATFLOW, 'workflow'] as const) {
			const form = {
				nodeId: 'ask',
				nodeTitle: 'Ask',
				content: 'OK?',
				actions: [{ id: 'yes', title: 'Yes' }],
			};
			const pause: Step = { pause: [form, { ...form, nodeId: 'mail', token: null }] };
			const played = playScript(mode, { steps: [...said('Wait'), pause] });
			expect(played).toMatchObject({
				closed: true,
				result: { status: 'paused', text: 'Wait', workflowRunId: 'r', taskId: 't' },
			});
			expect(played.result.pause).toMatchObject({
				workflowRunId: 'r',
				pausedNodes: ['ask', 'mail'],
				forms: [
					{
						formId: 'fo1',
						nodeId: 'ask',
						formToken: 'ft1',
						actions: [{ id: 'yes' }],
						expirationTime: 1705402020,
					},
					{ formId: 'fo2', nodeId: 'mail', formToken: null },
				],
			});
			expect(played.result.workflow?.status).toBe('paused');
		}
	});

	test('the answer of a chatflow: its pieces; its outputs where none came; what moderation says', () => {
		const text = fc.string({ maxLength: 4 });
		const order = fc.constantFrom('finished first', 'message_end first');
		const run = { ...ENV, workflow_run_id: 'r' };
		fc.assert(
			fc.property(
				fc.array(text, { maxLength: 3 }),
				text,
				fc.option(text, { nil: undefined }),
				order,
				(pieces, whole, moderated, first) => {
					const data = { id: 'r', status: 'succeeded', outputs: { answer: whole } };
					const ends = [
						{ event: 'workflow_finished', ...run, data },
						{ event: 'message_end', ...ENV, metadata: {} },
					];
					const { result, shown } = playText(
						lines(
							{ event: 'workflow_started', ...run, data: { id: 'r' } },
							...pieces.map((answer) => ({ event: 'message', ...ENV, answer })),
							...(moderated === undefined
								? []
								: [
										{
											event: 'message_replace',
											...ENV,
											answer: moderated,
											reason: 'output_moderation',
										},
									]),
							...(first === 'finished first' ? ends : ends.reverse()),
						),
					);
					const answer = moderated ?? (pieces.join('') || whole);
					expect([result.status, result.text, shown]).toEqual(['succeeded', answer, answer]);
				},
			),
		);
	});

	test('an empty output of a workflow takes the place of its preview', () => {
		const run = { task_id: 't', workflow_run_id: 'r' };
		const { result, shown } = playText(
			lines(
				{ event: 'text_chunk', ...run, data: { text: 'preview' } },
				{
					event: 'workflow_finished',
					...run,
					data: { id: 'r', status: 'succeeded', outputs: { body: '', code: 200 } },
				},
			),
		);
		expect([result.status, result.text, shown]).toEqual(['succeeded', '', '']);
	});

	test.each([
		['answered', 'human_input_form_filled'],
		['not answered in time', 'human_input_form_timeout'],
	])('case 60: forms only in the reason; a form that was %s waits no longer', (_what, event) => {
		const reasons = [{ TYPE: 'human_input_required', form_id: 'f2', node_id: 'n2' }];
		const { result } = playText(
			lines(
				{ event: 'human_input_required', ...ENV, data: { form_id: 'f1', node_id: 'n1' } },
				{ event, ...ENV, data: { node_id: 'n1' } },
				{
					event: 'workflow_paused',
					...ENV,
					workflow_run_id: 'r',
					data: { paused_nodes: ['n2'], reasons },
				},
			),
		);
		expect(result.pause?.forms.map(({ formId }) => formId)).toEqual(['f2']);
	});

	test('case 61: stopped ()', () => {
		const script: Script = { steps: said('part') };
		const chat = playText(stoppedText('chat', script));
		expect(chat).toMatchObject({ closed: true, result: { status: 'succeeded', text: 'part' } });
		const chatflow = playText(stoppedText(CHATFLOW, script));
		expect(chatflow.result).toMatchObject({
			status: 'stopped',
			text: 'part',
			workflow: { error: 'Aborted: User requested stop' },
		});
		expect(chatflow.result.error).toBeUndefined();
		expect(chatflow.next).toBe('awaitLateEvents');
		const workflow = playText(stoppedText('workflow', script));
		expect(workflow).toMatchObject({ closed: true, result: { status: 'stopped', text: 'part' } });
	});

	test('case 61: a stop that loses the race in 1.12, and is told as a failure, is a stop', () => {
		const text = stoppedText(CHATFLOW, { steps: said('part'), stopRace: true });
		expect(playText(text).result).toMatchObject({
			status: 'stopped',
			text: 'part',
			error: undefined,
		});
	});

	test('case 62: events of nodes, loops, logs and reasoning stay out of the answer ()', () => {
		const data = {
			id: 'it1',
			node_id: 'it',
			node_type: 'iteration',
			title: 'Each',
			inputs: { list: [1, 2] },
		};
		const retry = {
			id: 'e1',
			node_id: 'n1',
			node_type: 'http',
			title: 'Call',
			status: 'retry',
			error: '503',
			retry_index: 1,
		};
		const log = {
			node_execution_id: 'e1',
			id: 'l1',
			label: 'Round 1',
			parent_id: null,
			status: 'start',
			data: {},
		};
		const steps: Step[] = [
			{ nodeStart: { id: 'n1', type: 'http', title: 'Call' } },
			{ emit: 'node_retry', fields: { data: retry } },
			{ emit: 'agent_log', fields: { data: log } },
			{ emit: 'agent_log', fields: { data: { ...log, status: 'success' } } },
			{
				emit: 'reasoning_chunk',
				fields: { data: { message_id: 'm', reasoning: 'Hm. ', node_id: 'n1', is_final: false } },
			},
			{
				emit: 'reasoning_chunk',
				fields: { data: { message_id: 'm', reasoning: 'Ah.', node_id: 'n1', is_final: true } },
			},
			{ nodeEnd: { id: 'n1', type: 'http', title: 'Call', outputs: { body: 'text' } } },
			{ emit: 'iteration_started', fields: { data } },
			{ emit: 'iteration_next', fields: { data: { ...data, index: 0 } } },
			{ emit: 'iteration_next', fields: { data: { ...data, index: 1 } } },
			{
				emit: 'iteration_completed',
				fields: { data: { ...data, outputs: { output: ['x'] }, status: 'succeeded', steps: 2 } },
			},
			{ emit: 'loop_started', fields: { data: { ...data, id: 'lo1', node_type: 'loop' } } },
			{ emit: 'loop_next', fields: { data: { ...data, id: 'lo1', index: 0 } } },
			{
				emit: 'loop_completed',
				fields: { data: { ...data, id: 'lo1', status: 'failed', error: null, steps: 1 } },
			},
			...said('Done.'),
		];
		for (const mode of [CHATFLOW, 'workflow'] as const) {
			const { result, shown } = playScript(mode, { steps });
			expect([result.text, shown, result.reasoning]).toEqual(['Done.', 'Done.', 'Hm. Ah.']);
			expect(result.workflow?.nodes).toMatchObject([
				{
					id: 'e1',
					kind: 'node',
					nodeId: 'n1',
					status: 'succeeded',
					retries: 1,
					outputs: { body: 'text' },
				},
				{
					id: 'it1',
					kind: 'iteration',
					status: 'succeeded',
					passes: 2,
					inputs: { list: [1, 2] },
					outputs: { output: ['x'] },
				},
				{ id: 'lo1', kind: 'loop', status: 'failed', passes: 1 },
			]);
			expect(result.workflow?.nodes[0]?.error).toBeUndefined();
			expect(result.workflow?.agentLogs).toEqual([{ ...log, status: 'success' }]);
		}
	});

	test('case 63: an empty answer is a success ()', () => {
		for (const mode of ['chat', 'agent-chat', CHATFLOW, 'completion'] as const) {
			expect(playScript(mode, { steps: [] })).toMatchObject({
				closed: true,
				shown: '',
				result: { status: 'succeeded', text: '' },
			});
		}
	});

	test('a node that was cut off is still running', () => {
		const text = scriptText(CHATFLOW, {
			steps: [{ nodeStart: { id: 'n1' } }, ...said('a')],
		});
		const { result } = playText(text.slice(0, text.indexOf('data: {"event":"workflow_finished"')));
		expect(result.workflow).toMatchObject({
			status: 'running',
			nodes: [{ nodeId: 'n1', status: 'running' }],
		});
	});
});

describe('workflow apps', () => {
	test('case 65: partial success ()', () => {
		for (const mode of [CHATFLOW, 'workflow'] as const) {
			const { result, closed } = playScript(mode, { steps: said('ok'), exceptions: 1 });
			expect(result).toMatchObject({
				status: 'partial-succeeded',
				text: 'ok',
				workflow: { exceptionsCount: 1 },
			});
			expect([closed, result.warnings.length]).toEqual([true, 1]);
		}
	});

	test('case 67: outputs win over the streamed text ()', () => {
		const script: Script = { steps: said('dra', 'ft'), outputs: { text: 'final', score: 1 } };
		const { result, shown, closed } = playScript('workflow', script);
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'final',
			workflow: { outputs: { text: 'final', score: 1 } },
		});
		expect([shown, closed]).toEqual(['final', true]);
	});

	test('case 67: several texts among the outputs leave the streamed one; failure keeps it too ()', () => {
		const several = { steps: said('draft'), outputs: { one: 'a', two: 'b' } };
		expect(playScript('workflow', several).result.text).toBe('draft');
		expect(playScript('workflow', SAMPLES.workflowFailure).result).toMatchObject({
			status: 'failed',
			text: 'par',
			taskId: 't',
			workflowRunId: 'r',
			error: { cause: 'runFailed', message: 'boom' },
		});
	});

	test('case 67: outputs of a failed run do not win; text_replace would', () => {
		const ids = { workflow_run_id: 'r', task_id: 't' };
		const events = [
			{ event: 'text_chunk', ...ids, data: { text: 'bad' } },
			{ event: 'text_replace', ...ids, data: { text: 'better' } },
		];
		const failed = {
			event: 'workflow_finished',
			...ids,
			data: { id: 'r', status: 'failed', outputs: { text: 'x' }, error: 'e' },
		};
		const played = playText(lines(...events, failed));
		expect([played.shown, played.result.text, played.result.status]).toEqual([
			'better',
			'better',
			'failed',
		]);
	});

	test('a run that finishes as paused is paused', () => {
		const end = {
			event: 'workflow_finished',
			workflow_run_id: 'r',
			task_id: 't',
			data: { id: 'r', status: 'paused' },
		};
		expect(playText(lines(end))).toMatchObject({
			closed: true,
			result: { status: 'paused', pause: { workflowRunId: 'r' } },
		});
	});

	test('case 67: the end without workflow_finished is a failure with the run id ()', () => {
		const text = scriptText('workflow', { steps: said('par') });
		const { result } = playText(text.slice(0, text.lastIndexOf('data: ')));
		expect(result).toMatchObject({
			status: 'failed',
			text: 'par',
			workflowRunId: 'r',
			error: { cause: 'endedEarly' },
		});
	});

	test('case 68: the replay of a finished run, with blanks in its JSON, for both app types', () => {
		const replay =
			'data: {"event": "workflow_finished", "workflow_run_id": "r", "task_id": "t", "data": {"id": "r", "workflow_id": "w", "status": "succeeded", "outputs": {"answer": "Hello", "files": []}, "error": null}}\n\n';
		expect(playText(replay)).toMatchObject({
			closed: true,
			result: { status: 'succeeded', text: 'Hello', workflowRunId: 'r' },
		});
	});
});
