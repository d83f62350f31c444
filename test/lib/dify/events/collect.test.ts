import { addForm, addNode, singleText } from '../../../../lib/dify/events/collect';
import type { RunState } from '../../../../lib/dify/events/state';
import type { HumanForm, WorkflowNode } from '../../../../lib/dify/types';
import type { JsonRecord } from '../../../../lib/values';
import { createRun, resultByEvents, reduce } from '../../../../lib/dify/events';
import { SAMPLES, type Script, type Step } from '../../../servers/dify';
import { CHATFLOW, ENV, lines, playScript, playText, said, scriptText } from '../play';
import { cpuMilliseconds } from '../../../support/time';

describe('what the events mean', () => {
	test('case 48: one thought per id, text from agent_message ()', () => {
		const { result } = playScript('agent-chat', SAMPLES.agentChat);
		expect(result.text).toBe('Let me check. It is noon.');
		expect(result.thoughts).toMatchObject([
			{
				id: 'th1',
				position: 1,
				thought: 'Let me check. ',
				tool: 'time',
				observation: '{"time": "12:00"}',
			},
			{ id: 'th2', position: 2, thought: 'It is noon.' },
		]);
		expect(result.usage).toEqual({ total_tokens: 42 });
		expect(Object.keys(result.thoughts[0] ?? {})).not.toContain('event');
	});

	test('case 48: a later and emptier version of a thought erases nothing, null is nothing', () => {
		const state = createRun();
		reduce(state, {
			event: 'agent_thought',
			...ENV,
			id: 't1',
			thought: 'a',
			tool: 'x',
			observation: null,
		});
		reduce(state, {
			event: 'agent_thought',
			...ENV,
			id: 't1',
			thought: '',
			tool: null,
			observation: 'seen',
			message_files: ['f'],
		});
		expect(resultByEvents(state, 'cancelled').thoughts).toEqual([
			{ id: 't1', thought: 'a', tool: 'x', observation: 'seen', message_files: ['f'] },
		]);
	});

	test.each(['chat', CHATFLOW, 'workflow'] as const)(
		'speech has no effect on the text (%s)',
		(mode) => {
			const audio = (text: string) => Buffer.from(text).toString('base64');
			const script: Script = {
				steps: [{ node: { id: 'n' } }, ...said('Hi'), { tts: audio('one') }],
				trailingAudio: [audio('two!'), audio('3')],
			};
			const steps = mode === 'chat' ? script.steps.slice(1) : script.steps;
			expect(playText(scriptText(mode, { ...script, steps }))).toMatchObject({
				closed: true,
				shown: 'Hi',
				result: { status: 'succeeded', text: 'Hi' },
			});
		},
	);

	test('40,000 entries of agent_log, files and thoughts take no more time than their number', () => {
		const state = createRun();
		const taken = cpuMilliseconds(() => {
			for (let at = 0; at < 40_000; at++) {
				reduce(state, { event: 'agent_log', ...ENV, data: { id: `l${at}`, status: 'start' } });
				reduce(state, { event: 'agent_thought', ...ENV, id: `t${at}`, thought: 'Hm' });
				reduce(state, { event: 'message_file', ...ENV, id: `f${at}`, url: `http://files/${at}` });
			}
			for (let at = 0; at < 40_000; at++)
				reduce(state, { event: 'agent_log', ...ENV, data: { id: `l${at}`, status: 'success' } });
		});
		// Searching the list for each took 12 s for the log alone.
		expect(taken).toBeLessThan(4_000);
		expect([state.workflow!.agentLogs.length, state.thoughts.length, state.files.length]).toEqual(
			Array(3).fill(40_000),
		);
		expect(state.workflow!.agentLogs[7]).toEqual({ id: 'l7', status: 'success' });
	});

	test('zero usage is no number where a model answered: New Agent, and what was stopped', () => {
		const usage = {
			prompt_tokens: 0,
			completion_tokens: 0,
			total_tokens: 0,
			total_price: '0E-7',
			latency: 0,
		};
		const message = { event: 'message', ...ENV, answer: 'Hello' };
		const end = { event: 'message_end', ...ENV, metadata: { usage } };
		expect(playText(lines(message, end)).result).toMatchObject({
			status: 'succeeded',
			usage: undefined,
		});
		const finished = (status: string) => ({
			event: 'workflow_finished',
			...ENV,
			data: { id: 'r', status },
		});
		expect(playText(lines(message, finished('stopped'), end)).result.usage).toBeUndefined();
		// A chatflow without a model has used none, and nothing was used for no text.
		expect(playText(lines(message, finished('succeeded'), end)).result.usage).toEqual(usage);
		expect(playText(lines(end)).result.usage).toEqual(usage);
	});

	test('files of closing events come once, with what each event knows', () => {
		const file = {
			dify_model_identity: '__dify__file__',
			id: null,
			related_id: 'tool1',
			type: 'image',
			filename: 'a.png',
		};
		const files = [{ ...file, url: '/files/tools/tool1.png?timestamp=1&nonce=a&sign=b' }];
		const steps: Step[] = [
			{ file: { type: 'image', url: '/files/tools/tool1.png?timestamp=2&nonce=c&sign=d' } },
		];
		const { result } = playScript(CHATFLOW, { steps, files });
		expect(result.files).toHaveLength(1);
		expect(result.files[0]).toMatchObject({
			related_id: 'tool1',
			filename: 'a.png',
			belongs_to: 'assistant',
		});
	});

	test('files of either closing event, usage that says nothing is none', () => {
		const files = [{ id: 'f1', type: 'image', url: '/a.png' }];
		const metadata = { usage: {}, retriever_resources: null };
		const end = { event: 'message_end', ...ENV, metadata };
		const finished = {
			event: 'workflow_finished',
			...ENV,
			workflow_run_id: 'r',
			data: { id: 'r', status: 'succeeded' },
		};
		const started = { event: 'workflow_started', ...ENV, workflow_run_id: 'r', data: { id: 'r' } };
		const first = playText(lines(started, { ...end, files }, finished)).result;
		const second = playText(
			lines(started, end, { ...finished, data: { ...finished.data, files } }),
		).result;
		expect([first.files, second.files]).toEqual([files, files]);
		expect([first.usage, first.retrieverResources, first.metadata]).toEqual([
			undefined,
			[],
			metadata,
		]);
	});
});

describe('the parts that are collected', () => {
	test('each pass of a loop is a node of its own, also where branches come in turns or begin in the middle', () => {
		const [nodes, index]: [WorkflowNode[], RunState['nodeIndex']] = [[], new Map()];
		const add = (name: string, data: JsonRecord) =>
			addNode(
				{ status: 'running', nodes, agentLogs: [] },
				index,
				name.startsWith('iteration') ? 'iteration' : 'node',
				name,
				data,
			);
		add('node_started', { id: 'e1', node_id: 'n', title: 'Ask', index: 2, created_at: 1 });
		add('node_started', { id: 'e2', node_id: 'n', loop_id: 'l' });
		add('node_finished', { id: 'e1', status: 'succeeded', outputs: { a: 1 } });
		add('node_finished', { id: 'e3', node_id: 'm', status: 'failed', error: 'boom' });
		add('iteration_next', { id: 'e1', index: 0 });
		add('iteration_next', { id: 'e1', index: null });
		expect(nodes).toMatchObject([
			{
				id: 'e1',
				kind: 'node',
				nodeId: 'n',
				title: 'Ask',
				index: 2,
				status: 'succeeded',
				outputs: { a: 1 },
				createdAt: 1,
			},
			{ id: 'e2', kind: 'node', nodeId: 'n', status: 'running', loopId: 'l' },
			{ id: 'e3', kind: 'node', nodeId: 'm', status: 'failed', error: 'boom' },
			// An iteration may have the ID of a node.
			{ id: 'e1', kind: 'iteration', passes: 2, status: 'running' },
		]);
	});

	test('the reason of a pause repeats its forms: each is listed once', () => {
		const forms: HumanForm[] = [];
		addForm(forms, {
			form_id: 'f1',
			node_id: 'n',
			form_token: 'tok',
			inputs: [{ type: 'text' }],
			display_in_ui: false,
		});
		addForm(forms, { form_id: 'f1', node_id: 'n' });
		addForm(forms, { node_id: 'n2', form_token: '', inputs: 'none', expiration_time: '7' });
		addForm(forms, { node_id: 'n2' });
		expect(forms).toMatchObject([
			{
				formId: 'f1',
				nodeId: 'n',
				formToken: 'tok',
				inputs: [{ type: 'text' }],
				actions: [],
				displayInUi: false,
			},
			// Such a form goes out by e-mail and cannot be answered over the API.
			{ nodeId: 'n2', formToken: null, inputs: [] },
		]);
		expect(forms).toHaveLength(2);
	});

	test.each<[unknown, string | undefined]>([
		[{ text: 'a', score: 1, files: [] }, 'a'],
		[{ one: 'a', two: 'b' }, undefined],
		[{ text: '' }, ''],
		[{}, undefined],
		[null, undefined],
		['text', undefined],
	])('the single text among the outputs %j is %j', (outputs, text) => {
		expect(singleText(outputs)).toBe(text);
	});
});
