import type { ChatCall } from '../../../lib/chat/request/request';
import { DifySource, type DifyModelSettings } from '../../../lib/langchain/dify-source';
import type { DifyAppMode } from '../../../lib/dify/types';
import type { DifySim, Reply, AppSpec } from '../../servers/dify';
import { waitFor } from '../dify/ask';
import { calls, clientOf, failureOf, startApp } from '../dify/client';

const PLAIN: DifyModelSettings = {
	user: 'u1',
	memory: 'n8n',
	inputs: {},
	systemVariable: '',
	promptVariable: '',
	outputField: '',
	emptyAnswers: false,
	deleteConversations: false,
	limits: {},
	retries: 0,
};
const human = (content: unknown): ChatCall['messages'] => [{ type: 'human', content }];

async function app(mode: DifyAppMode, reply: Reply, more: Partial<AppSpec> = {}): Promise<DifySim> {
	return await startApp('1.14', { mode, reply: () => reply, ...more });
}

/** One answer, with the pieces that a chat would show. */
async function ask(
	sim: DifySim,
	mode: DifyAppMode,
	call: ChatCall | ChatCall['messages'] = human('Hi'),
	settings: Partial<DifyModelSettings> = {},
) {
	const source = new DifySource(clientOf(sim, mode), { ...PLAIN, ...settings });
	const generating = source.generate(Array.isArray(call) ? { messages: call } : (call as ChatCall));
	const pieces: string[] = [];
	let next = await generating.next();
	for (; !next.done; next = await generating.next()) pieces.push(next.value);
	return { pieces, answer: next.value, run: sim.store.runs.at(-1)! };
}

describe.each(['chat', 'agent-chat', 'advanced-chat'] as const)(
	'an app of the type %s as model',
	(mode) => {
		it('answers in pieces, in a new conversation each time', async () => {
			const sim = await app(mode, ['Hello', ' there']);
			const { pieces, answer } = await ask(sim, mode);
			expect(pieces.join('')).toBe('Hello there');
			expect(answer).toMatchObject({
				text: 'Hello there',
				toolCalls: [],
				finishReason: 'stop',
				log: { app: mode },
			});
			await ask(sim, mode);
			expect(new Set(sim.store.runs.map(({ conversationId }) => conversationId)).size).toBe(2);
		});
	},
);

describe('a Dify app as model', () => {
	it.each(['advanced-chat', 'workflow'] as const)(
		'types the whole answer of a %s whose stream was lost, and says so',
		async (mode) => {
			const reply = {
				steps: [{ text: 'one ' }, { text: 'two ' }, { wait: 30 }, { text: 'three' }],
				outputs: { [mode === 'workflow' ? 'text' : 'answer']: 'one two three' },
			};
			const form = mode === 'workflow' ? [{ kind: 'text-input' as const, variable: 'topic' }] : [];
			const sim = await app(mode, reply, { form });
			sim.stream = { cut: { events: 2, how: 'eof' } };
			const answering = ask(sim, mode);
			await waitFor(() => sim.requests.some(({ path }) => path.endsWith('/events')));
			sim.stream = {};
			const { pieces, answer } = await answering;
			expect([pieces.join(''), answer.text]).toEqual(['one two three', 'one two three']);
			expect(answer.notes.join()).toContain('found the run again');
		},
	);

	it('asks the app what it is only once', async () => {
		const sim = await app('chat', 'Hello');
		const source = new DifySource(clientOf(sim), PLAIN);
		for (let i = 0; i < 3; i += 1)
			for await (const piece of source.generate({ messages: human('Hi') })) void piece;
		expect([
			calls(sim, '/info', 'GET'),
			calls(sim, '/parameters', 'GET'),
			calls(sim, '/chat-messages'),
		]).toEqual([1, 1, 3]);
	});

	it('sends the system message and the history in one message', async () => {
		const sim = await app('chat', 'Yes');
		const { run } = await ask(sim, 'chat', [
			{ type: 'system', content: 'Be brief.' },
			{ type: 'human', content: 'Hi' },
			{ type: 'ai', content: 'Hello!' },
			{ type: 'human', content: 'And now?' },
		]);
		expect(run.query).toBe('Be brief.\n\nUser: Hi\nAssistant: Hello!\n\nAnd now?');
	});

	it('D141: continues the latest conversation of the user, where Dify remembers', async () => {
		const sim = await app('chat', 'Yes');
		await ask(sim, 'chat', human('One'), { memory: 'dify' });
		const { run, answer } = await ask(
			sim,
			'chat',
			[{ type: 'system', content: 'Be brief.' }, ...human('Two')],
			{
				memory: 'dify',
			},
		);
		expect(run.query).toBe('Two');
		expect(new Set(sim.store.runs.map(({ conversationId }) => conversationId)).size).toBe(1);
		expect(answer.notes).toEqual([expect.stringContaining('The system message was not sent')]);
	});

	it('puts the system message into a variable of the app, and refuses one that is not there', async () => {
		const sim = await app('chat', 'Yes', {
			form: [{ kind: 'paragraph', variable: 'instructions' }],
		});
		const messages = [{ type: 'system' as const, content: 'Be brief.' }, ...human('Hi')];
		const { run } = await ask(sim, 'chat', messages, { systemVariable: 'instructions' });
		expect([run.query, run.inputs]).toEqual(['Hi', { instructions: 'Be brief.' }]);
		const failed = await failureOf(ask(sim, 'chat', messages, { systemVariable: 'nothing' }));
		expect([failed.message, failed.remedy]).toEqual([
			'The app has no variable "nothing"',
			expect.stringContaining('It has: instructions'),
		]);
		expect(
			(await failureOf(ask(sim, 'chat', human('Hi'), { inputs: { tone: 'kind' } }))).message,
		).toContain('"tone"');
		expect(calls(sim, '/chat-messages')).toBe(1);
	});

	it('D139: refuses tools before anything is asked', async () => {
		const sim = await app('chat', 'Yes');
		const tools = [{ name: 'weather', parameters: {} }];
		const failed = await failureOf(ask(sim, 'chat', { messages: human('Hi'), tools }));
		expect(failed.message).toBe('A Dify app cannot be given tools');
		expect(sim.requests).toEqual([]);
	});

	it('D142: uploads pictures, and refuses them where the app takes none', async () => {
		const parts = [
			{ type: 'text', text: 'What is this?' },
			{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
		];
		const sim = await app('chat', 'A cat', {
			fileUpload: { enabled: true, types: ['image'], number: 3 },
		});
		const { run } = await ask(sim, 'chat', human(parts));
		expect(run).toMatchObject({ query: 'What is this?', files: [{ type: 'image' }] });
		const blind = await app('chat', 'A cat');
		expect((await failureOf(ask(blind, 'chat', human(parts)))).kind).toBe('featureOff');
		expect(calls(blind, '/chat-messages')).toBe(0);
	});

	it('ends at a stop text, and tells Dify to stop', async () => {
		const sim = await app('chat', {
			steps: [{ text: 'Thought: 1\nObser' }, { text: 'vation: 2' }, { wait: 20 }, { text: 'no' }],
		});
		const { pieces, answer } = await ask(sim, 'chat', {
			messages: human('Hi'),
			stop: ['Observation:'],
		});
		expect([pieces.join(''), answer.text]).toEqual(['Thought: 1\n', 'Thought: 1\n']);
	});

	it('D143: types nothing more after Dify took back what it had said', async () => {
		const sim = await app('chat', {
			steps: [{ text: 'Secret ' }, { replace: 'I cannot say that.' }, { text: ' Sorry.' }],
		});
		const { pieces, answer } = await ask(sim, 'chat');
		expect(pieces.join('')).toBe('Secret ');
		expect(answer.text).toBe('I cannot say that. Sorry.');
		expect(answer.notes).toContainEqual(expect.stringContaining('Dify took back'));
	});

	it('an empty answer is an error, unless it is allowed', async () => {
		const sim = await app('chat', { steps: [] });
		expect((await failureOf(ask(sim, 'chat'))).kind).toBe('emptyAnswer');
		expect((await ask(sim, 'chat', human('Hi'), { emptyAnswers: true })).answer.text).toBe('');
	});

	it('D144: a chatflow that asks a person cannot be a model', async () => {
		const form = {
			nodeId: 'n',
			nodeTitle: 'Approve',
			content: 'Ok?',
			actions: [{ id: 'yes', title: 'Yes' }],
		};
		const sim = await app('advanced-chat', { steps: [{ text: 'Wait' }, { pause: [form] }] });
		const failed = await failureOf(ask(sim, 'advanced-chat'));
		expect(failed.message).toBe('The chatflow waits for a person, and a model cannot wait');
	});

	it('keeps what had arrived in the error', async () => {
		const sim = await app('chat', {
			steps: [
				{ text: 'Once upon' },
				{ error: { code: 'completion_request_error', status: 400, message: 'out of memory' } },
			],
		});
		expect((await failureOf(ask(sim, 'chat'))).partialText).toBe('Once upon');
	});

	it('stops the run in Dify when the execution is stopped', async () => {
		const sim = await app('chat', { steps: [{ text: 'Once' }, { wait: new Promise(() => {}) }] });
		const source = new DifySource(clientOf(sim), PLAIN);
		const stop = new AbortController();
		const generating = source.generate({ messages: human('Hi'), signal: stop.signal });
		expect((await generating.next()).value).toBe('Once');
		stop.abort();
		await expect(generating.next()).rejects.toMatchObject({ kind: 'cancelled' });
		expect(calls(sim, /\/stop$/)).toBe(1);
	});

	it('deletes its conversations, where it is told to', async () => {
		const sim = await app('chat', 'Yes');
		await ask(sim, 'chat', human('Hi'), { deleteConversations: true });
		expect(
			calls(sim, /^\/v1\/conversations\//, 'DELETE') + calls(sim, /conversations/, 'DELETE'),
		).toBeGreaterThan(0);
	});
});

describe('a text generator as model', () => {
	it('takes the prompt in its only text variable', async () => {
		const sim = await app('completion', ['A ', 'poem'], {
			form: [{ kind: 'paragraph', variable: 'topic' }],
		});
		const { answer, run } = await ask(sim, 'completion');
		expect([answer.text, run.inputs]).toEqual(['A poem', { topic: 'Hi' }]);
	});

	it('must be told which one, where there are several', async () => {
		const form: AppSpec['form'] = [
			{ kind: 'paragraph', variable: 'topic' },
			{ kind: 'text-input', variable: 'tone' },
		];
		const sim = await app('completion', 'A poem', { form });
		expect((await failureOf(ask(sim, 'completion'))).remedy).toContain('topic, tone');
		const { run } = await ask(sim, 'completion', human('Hi'), {
			promptVariable: 'topic',
			inputs: { tone: 'sad' },
		});
		expect(run.inputs).toEqual({ topic: 'Hi', tone: 'sad' });
	});
});

describe('a workflow as model', () => {
	const form: AppSpec['form'] = [{ kind: 'paragraph', variable: 'query' }];

	it('answers with its only text output, at once', async () => {
		const sim = await app(
			'workflow',
			{ steps: [{ text: 'draft' }], outputs: { result: 'Final', score: 3 } },
			{ form },
		);
		const { pieces, answer } = await ask(sim, 'workflow');
		expect([pieces, answer.text]).toEqual([['Final'], 'Final']);
	});

	it('must be told which one, where there are several', async () => {
		const sim = await app('workflow', { steps: [], outputs: { one: 'A', two: 'B' } }, { form });
		expect((await failureOf(ask(sim, 'workflow'))).remedy).toContain('one, two');
		expect((await ask(sim, 'workflow', human('Hi'), { outputField: 'two' })).answer.text).toBe('B');
		expect(
			(await failureOf(ask(sim, 'workflow', human('Hi'), { outputField: 'three' }))).message,
		).toContain('"three"');
	});
});
