/** Conversations that chat templates reject, on the real llama-server: each is sent again with strict roles. */
import { runTurn } from '../../lib/chat/turn';
import type { InputMessage } from '../../lib/chat/types';
import { clearSharedCaches } from '../../lib/lru-cache';
import { createModelServer } from '../../lib/servers/credential';
import { startLlamaServer, stopEverything } from '../e2e/support/playground';
import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';

afterEach(async () => {
	clearSharedCaches();
	await stopEverything();
});

/** Common end of these templates. */
const MESSAGES = `{%- for message in messages %}
{{- '<' + message.role + '>' }}
{%- if message.content is string %}{{- message.content }}{%- endif %}
{%- if message.tool_calls %}{%- for call in message.tool_calls %}{{- call.function.name }}{%- endfor %}{%- endif %}
{%- endfor %}{{- '<assistant>' }}`;

/** Rejections of Gemma 2's, Mistral's, Llama 3.1's and Qwen3.5's templates, with their messages; and of a partial response. */
const TEMPLATES = {
	gemma: `{%- if messages[0].role == 'system' %}{{- raise_exception('System role not supported') }}{%- endif %}
{%- for message in messages %}{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
{%- endif %}{%- endfor %}${MESSAGES}`,
	mistral: `{%- set ns = namespace(user=true) %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'assistant' and not message.tool_calls) %}
{%- if (message.role == 'user') != ns.user %}
{{- raise_exception('After the optional system message, conversation roles must alternate user/assistant/user/assistant/...') }}
{%- endif %}{%- set ns.user = not ns.user %}{%- endif %}{%- endfor %}${MESSAGES}`,
	llama: `{%- for message in messages %}{%- if message.tool_calls and message.tool_calls | length != 1 %}
{{- raise_exception('This model only supports single tool-calls at once!') }}
{%- endif %}{%- endfor %}${MESSAGES}`,
	qwen: `{%- for message in messages %}{%- if message.role == 'system' and not loop.first %}
{{- raise_exception('System message must be at the beginning.') }}
{%- endif %}{%- endfor %}${MESSAGES}`,
	// llama-server itself rejects partial responses if the template has an option for thinking.
	thinking: `${MESSAGES}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- else %}{{- '<think>\n' }}{%- endif %}`,
} as const;

const system = (content: string): InputMessage => ({ type: 'system', content });
const user = (content: unknown): InputMessage => ({ type: 'human', content });
const assistant = (content: string): InputMessage => ({ type: 'ai', content });
/** Images of a tool are sent after all results, in a user message. */
const behindResults: InputMessage[] = [
	user('Look.'),
	{ type: 'ai', content: '', toolCalls: [{ id: 'call00001', name: 'look', args: {} }] },
	{ type: 'tool', toolCallId: 'call00001', content: 'one' },
	user('What the tool returned is a picture.'),
];
const twoCalls: InputMessage[] = [
	user('Look twice.'),
	{
		type: 'ai',
		content: '',
		toolCalls: [
			{ id: 'call00001', name: 'look', args: {} },
			{ id: 'call00002', name: 'look', args: {} },
		],
	},
	{ type: 'tool', toolCallId: 'call00001', content: 'one' },
	{ type: 'tool', toolCallId: 'call00002', content: 'two' },
];

test.each<[string, keyof typeof TEMPLATES, InputMessage[]]>([
	[
		'a later system message',
		'qwen',
		[system('Be brief.'), user('Hi'), assistant('Hello.'), system('Now rhyme.'), user('Go on.')],
	],
	['two messages of the user in a row', 'mistral', [user('Hi'), user('Are you there?')]],
	['two calls in one message', 'llama', twoCalls],
	['a message of the user behind tool results', 'mistral', behindResults],
	['a partial response while thinking is on', 'thinking', [user('Hi'), assistant('Dear')]],
	['any system message', 'gemma', [system('Be brief.'), user('Hi')]],
])('%s (%s)', async (_shape, template, messages) => {
	const { value, notes } = await answered(template, messages);
	expect(value).not.toBe('');
	// This llama-server moves a system text that Gemma's template refuses, and turns thinking off, itself.
	const isStrict = template !== 'gemma' && template !== 'thinking';
	expect(notes.some((note) => note.includes('stricter form'))).toBe(isStrict);
});

test('the accepted format is sent directly the next time', async () => {
	const messages = [system('Be brief.'), user('Hi')];
	const { url, ask } = await serverWith('gemma', messages);
	await ask();
	const refusals = () => fs.readFileSync(url.log, 'utf8').split('System role not supported').length;
	const before = refusals();
	await ask();
	expect(refusals()).toBe(before);
});

async function answered(template: keyof typeof TEMPLATES, messages: InputMessage[]) {
	const { ask } = await serverWith(template, messages);
	const { text, warnings } = await ask();
	return { value: text, notes: warnings };
}

async function serverWith(template: keyof typeof TEMPLATES, messages: InputMessage[]) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'strict-'));
	const file = path.join(folder, 'template.jinja');
	const log = path.join(folder, 'llama-server.log');
	fs.writeFileSync(file, TEMPLATES[template]);
	const { url } = await startLlamaServer({
		contextSize: 4096,
		logFile: log,
		args: ['--chat-template-file', file],
	});
	const settings = {
		model: 'test-model',
		parameters: { maxTokens: 8, extraBody: { ignore_eos: true } },
		thinkingHistory: 'never' as const,
		showThinking: false,
		timeouts: {},
		retries: 0,
	};
	const server = createModelServer({ baseUrl: url });
	return { url: { log }, ask: async () => await runTurn(server, settings, { messages }) };
}
