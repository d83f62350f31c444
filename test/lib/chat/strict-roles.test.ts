import * as fc from 'fast-check';

import { enforceStrictRoles, toStrictRoles } from '../../../lib/chat/strict-roles';
import { createServerError } from '../../../lib/errors/create-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { sendWithAdaptations } from '../../../lib/exchange/adaptations';
import type { JsonRecord } from '../../../lib/values';

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
	test.each<[string, JsonRecord[], JsonRecord[]]>([
		[
			'a later system message begins the next user message (llama.cpp 20733)',
			[system('A'), user('B'), assistant('C'), system('D'), user('E')],
			[system('A'), user('B'), assistant('C'), user('D\n\nE')],
		],
		[
			'a system message after the last question is joined to it',
			[system('A'), user('B'), system('C')],
			[system('A'), user('B\n\nC')],
		],
		[
			'two successive user messages are joined (vllm 6862)',
			[user('A'), user('B')],
			[user('A\n\nB')],
		],
		[
			'two parallel calls become two messages, each with its result (Llama 3)',
			[user('A'), assistant('B', 'x', 'y'), result('x'), result('y')],
			[user('A'), assistant('B', 'x'), result('x'), assistant('', 'y'), result('y')],
		],
		[
			'an assistant message is inserted between a result and images (Mistral)',
			[user('A'), assistant('', 'x'), result('x'), user([image])],
			[
				user('A'),
				assistant('', 'x'),
				result('x'),
				assistant('I have read the result.'),
				user([image]),
			],
		],
	])('%s', (_name, messages, expected) => {
		expect(toStrictRoles(messages)).toEqual(expected);
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
	/** A server that rejects requests with this text until the body is accepted. */
	const templateServer = (
		kind: ErrorType,
		serverText: string,
		isAccepted: (body: JsonRecord) => boolean,
	) => {
		const sentBodies: JsonRecord[] = [];
		const send = async (body: JsonRecord) => {
			sentBodies.push(body);
			if (!isAccepted(body)) throw createServerError(kind, {}, { serverText });
			return await Promise.resolve('answer');
		};
		return { sentBodies, send };
	};
	const isJoined = (body: JsonRecord) => JSON.stringify(body.messages).includes('B\\n\\nC');

	test('is sent after a rejection of the template, with a warning, and directly the next time', async () => {
		const { sentBodies, send } = templateServer(
			'templateRejected',
			'roles must alternate',
			isJoined,
		);
		const adapted = await sendWithAdaptations('key 1', { messages }, [enforceStrictRoles], send);
		expect(adapted.value).toBe('answer');
		expect(adapted.warnings).toEqual([expect.stringContaining('stricter form')]);
		expect(sentBodies).toHaveLength(2);
		await sendWithAdaptations('key 1', { messages }, [enforceStrictRoles], send);
		expect(sentBodies).toHaveLength(3);
	});

	test('throws the first error if the strict form is rejected, too', async () => {
		let times = 0;
		const send = async () =>
			await Promise.reject(
				createServerError('badRequest', {}, { status: 400, serverText: `refusal ${++times}` }),
			);
		const sending = sendWithAdaptations('key 2', { messages }, [enforceStrictRoles], send);
		await expect(sending).rejects.toMatchObject({ serverText: 'refusal 1' });
		expect(times).toBe(2);
	});

	test('contains no system message if the server rejects it', async () => {
		const { sentBodies, send } = templateServer(
			'templateRejected',
			'System role not supported',
			(body) => !JSON.stringify(body.messages).includes('"system"'),
		);
		await sendWithAdaptations('key 3', { messages }, [enforceStrictRoles], send);
		expect(sentBodies.at(-1)).toEqual({ messages: [user('A\n\nB\n\nC')] });
	});

	test('turns thinking off after a prefilled response (llama.cpp 20861)', async () => {
		const { sentBodies, send } = templateServer(
			'badRequest',
			'Assistant response prefill is incompatible with enable_thinking.',
			(body) => 'chat_template_kwargs' in body,
		);
		const messagesWithPrefill = [user('A'), assistant('B')];
		await sendWithAdaptations(
			'key 4',
			{ messages: messagesWithPrefill },
			[enforceStrictRoles],
			send,
		);
		expect(sentBodies.at(-1)).toEqual({
			messages: messagesWithPrefill,
			chat_template_kwargs: { enable_thinking: false },
		});
	});

	test('is not used for other errors or for a conversation that is strict', async () => {
		const { sentBodies, send } = templateServer('unauthorized', 'key', () => false);
		await expect(
			sendWithAdaptations('key 5', { messages }, [enforceStrictRoles], send),
		).rejects.toThrow();
		expect(sentBodies).toHaveLength(1);
		const other = templateServer('badRequest', 'max_tokens', () => false);
		const strict = { messages: [system('A'), user('B')] };
		await expect(
			sendWithAdaptations('key 6', strict, [enforceStrictRoles], other.send),
		).rejects.toThrow();
		expect(other.sentBodies).toHaveLength(1);
	});
});
