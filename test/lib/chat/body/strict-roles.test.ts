import * as fc from 'fast-check';

import { enforceStrictRoles, toStrictRoles } from '../../../../lib/chat/body/strict-roles';
import type { JsonRecord } from '../../../../lib/values/records';
import { runExchange, scriptedServer } from '../../exchange/scripted-exchange';
import { transport } from '../../exchange/scripted-transport';

jest.mock('../../../../lib/http/send-request', () =>
	jest.requireActual<object>('../../exchange/scripted-transport'),
);

const system = (content: string) => ({ role: 'system', content });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: string, ...ids: string[]) => ({
	role: 'assistant',
	content,
	...(ids.length === 0 ? {} : { tool_calls: ids.map((id) => ({ id, type: 'function' })) }),
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: `result of ${id}` });
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } };

describe('strict form', () => {
	test.each<{ name: string; messages: JsonRecord[]; expected: JsonRecord[] }>([
		{
			name: 'a later system message begins the next user message (llama.cpp 20733)',
			messages: [system('A'), user('B'), assistant('C'), system('D'), user('E')],
			expected: [system('A'), user('B'), assistant('C'), user('D\n\nE')],
		},
		{
			name: 'a system message after the last question is joined to it',
			messages: [system('A'), user('B'), system('C')],
			expected: [system('A'), user('B\n\nC')],
		},
		{
			name: 'two successive user messages are joined (vllm 6862)',
			messages: [user('A'), user('B')],
			expected: [user('A\n\nB')],
		},
		{
			name: 'two parallel calls become two messages, each with its result (Llama 3)',
			messages: [user('A'), assistant('B', 'x', 'y'), result('x'), result('y')],
			expected: [user('A'), assistant('B', 'x'), result('x'), assistant('', 'y'), result('y')],
		},
		{
			name: 'an assistant message is inserted between a result and images (Mistral)',
			messages: [user('A'), assistant('', 'x'), result('x'), user([image])],
			expected: [
				user('A'),
				assistant('', 'x'),
				result('x'),
				assistant('I have read the result.'),
				user([image]),
			],
		},
	])('in the strict form, $name', ({ messages, expected }) => {
		const input = JSON.stringify(messages);
		const toLines = (list: readonly object[]) => list.map((message) => JSON.stringify(message));
		expect({ input, strict: toLines(toStrictRoles(messages)) }).toEqual({
			input,
			strict: toLines(expected),
		});
	});

	test('without support for system messages, the first one begins the first user message (Gemma)', () => {
		expect(toStrictRoles([system('A'), user('B')], false)).toEqual([user('A\n\nB')]);
		expect(toStrictRoles([system('A'), user([image])], false)).toEqual([
			user([{ type: 'text', text: 'A' }, image]),
		]);
	});

	const messages = fc.array(
		fc.oneof(
			fc.string().map(system),
			fc.string().map(user),
			fc.string().map((text) => assistant(text)),
			fc
				.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
				.map((ids) => assistant('', ...ids)),
		),
	);

	test('keeps all images, inside of a message and beside its text (Ollama), in their order', () => {
		const kinds = fc.array(
			fc.record({
				role: fc.constantFrom('system', 'user', 'user', 'assistant'),
				count: fc.nat(2),
			}),
			{ maxLength: 6 },
		);
		fc.assert(
			fc.property(kinds, fc.boolean(), fc.boolean(), (list, isBeside, hasSystem) => {
				let count = 0;
				const given = list.map(({ role, count: images }, at) => {
					const names = role === 'user' ? Array.from({ length: images }, () => `i${count++}`) : [];
					if (names.length === 0) return { role, content: `t${at}` };
					if (isBeside) return { role, content: `t${at}`, images: names };
					const parts = names.map((url) => ({ type: 'image_url', image_url: { url } }));
					return { role, content: [{ type: 'text', text: `t${at}` }, ...parts] };
				});
				const strict = JSON.stringify(toStrictRoles(given, hasSystem));
				const names = Array.from(strict.matchAll(/"i(\d+)"/g), ([, at]) => Number(at));
				expect(names).toEqual(Array.from({ length: count }, (_none, at) => at));
			}),
		);
	});

	test('has strict roles, keeps all texts, and does not change again', () => {
		fc.assert(
			fc.property(messages, fc.boolean(), (given, hasSystem) => {
				const strict = toStrictRoles(given, hasSystem);
				const roles = strict.map(({ role }) => role);
				expect(roles.slice(hasSystem ? 1 : 0)).not.toContain('system');
				for (const { tool_calls: calls } of strict)
					expect(Array.isArray(calls) ? calls.length : 0).toBeLessThanOrEqual(1);
				const texts = strict.map(({ content }) => content).join('\n\n');
				for (const { content } of given)
					if (content !== undefined) expect(texts).toContain(String(content));
				expect(toStrictRoles(strict, hasSystem)).toEqual(strict);
			}),
		);
	});
});

describe('strict conversation', () => {
	const messages = [system('A'), user('B'), user('C')];
	/** A server that refuses with these words until the conversation is strict. */
	const adaptations = { strictForm: [enforceStrictRoles] };
	/** A server that rejects every body that its template does not accept. */
	const serveTemplate = (message: string, isAccepted: (body: JsonRecord) => boolean) => {
		transport.reply = ({ body }) =>
			isAccepted(body) ? { type: 'usable' } : { type: 'rejected', message };
	};
	const send = async (path: string, body: JsonRecord) => {
		const result = await runExchange(scriptedServer(path), body, { adaptations });
		return { ...result, sent: transport.sent.map((request) => request.body) };
	};
	const isJoined = (body: JsonRecord) => JSON.stringify(body.messages).includes('B\\n\\nC');

	test('is sent after two rejections by the template, with a warning, and remembered', async () => {
		serveTemplate('roles must alternate', isJoined);
		const first = await send('1', { messages });
		expect(first.warnings).toEqual([expect.stringContaining('stricter form')]);
		expect(first.sent).toHaveLength(3);
		expect((await send('1', { messages })).sent).toHaveLength(1);
	});

	test.each<[string, number, JsonRecord[]]>([
		['another error', 401, messages],
		['a strict conversation', 400, [user('A')]],
	])('is not sent after %s', async (path, status, conversation) => {
		transport.reply = () => ({ type: 'rejected', status, message: 'max_tokens' });
		await expect(send(encodeURIComponent(path), { messages: conversation })).rejects.toThrow();
		expect(new Set(transport.sent.map(({ body }) => JSON.stringify(body))).size).toBe(1);
	});

	// Extra Body may contain anything as messages: llama-server answers an empty conversation, about anything.
	test.each<{ name: string; given: unknown }>([
		{ name: 'a text', given: 'x' },
		{ name: 'JSON text', given: JSON.stringify(messages) },
		{ name: 'one message', given: user('A') },
		{ name: 'an empty list', given: [] },
		{ name: 'a list of texts', given: ['A', 'B'] },
		{ name: 'a message without a role', given: [user('A'), { content: 'B' }] },
		{ name: 'a message whose content is a number', given: [user('A'), user(5)] },
		{ name: 'a message whose content is an object', given: [user('A'), user({ text: 'B' })] },
		{ name: 'null between messages', given: [user('A'), null, user('B')] },
	])('is not sent if a part of it would be lost: $name', async ({ name, given }) => {
		serveTemplate("Expected 'messages' to be an array", () => false);
		await expect(send(`lost ${name}`, { messages: given })).rejects.toThrow();
		expect(transport.sent.map(({ body }) => body)).toEqual([{ messages: given }]);
	});

	test('has no system message if the server does not support it', async () => {
		serveTemplate(
			'System role not supported',
			(body) => !JSON.stringify(body.messages).includes('"system"'),
		);
		const { sent } = await send('3', { messages });
		expect(sent.at(-1)).toEqual({ messages: [user('A\n\nB\n\nC')] });
	});

	test('turns thinking off after the beginning of a response (llama.cpp 20861)', async () => {
		serveTemplate(
			'Assistant response prefill is incompatible with enable_thinking.',
			(body) => 'chat_template_kwargs' in body,
		);
		const begun = [user('A'), assistant('B')];
		expect((await send('4', { messages: begun })).sent.at(-1)).toEqual({
			messages: begun,
			chat_template_kwargs: { enable_thinking: false },
		});
	});
});
