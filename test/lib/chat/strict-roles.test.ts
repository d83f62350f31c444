import * as fc from 'fast-check';

import { enforceStrictRoles, toStrictRoles } from '../../../lib/chat/strict-roles';
import { createServerError } from '../../../lib/errors/create-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { sendWithAdaptations } from '../../../lib/servers/adaptations';
import type { JsonRecord } from '../../../lib/values';

const system = (content: string) => ({ role: 'system', content });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: string, ...ids: string[]) => ({
	role: 'assistant',
	content,
	...(ids.length === 0 ? {} : { tool_calls: ids.map((id) => ({ id, type: 'function' })) }),
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: `result of ${id}` });
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } };

describe('strict form', () => {
	test.each<[string, JsonRecord[], JsonRecord[]]>([
		[
			'a later system message begins the next user message (llama.cpp 20733)',
			[system('A'), user('B'), assistant('C'), system('D'), user('E')],
			[system('A'), user('B'), assistant('C'), user('D\n\nE')],
		],
		[
			'a system message behind the last question is a user message of its own, then joined',
			[system('A'), user('B'), system('C')],
			[system('A'), user('B\n\nC')],
		],
		['two user messages are one (vllm 6862)', [user('A'), user('B')], [user('A\n\nB')]],
		[
			'two calls are two messages, each with its result (Llama 3)',
			[user('A'), assistant('B', 'x', 'y'), result('x'), result('y')],
			[user('A'), assistant('B', 'x'), result('x'), assistant('', 'y'), result('y')],
		],
		[
			'pictures behind a result come after an answer (Mistral)',
			[user('A'), assistant('', 'x'), result('x'), user([picture])],
			[
				user('A'),
				assistant('', 'x'),
				result('x'),
				assistant('I have read the result.'),
				user([picture]),
			],
		],
	])('%s', (_name, messages, expected) => {
		expect(toStrictRoles(messages)).toEqual(expected);
	});

	test('where no system message is taken, the first one begins the first user message (Gemma)', () => {
		expect(toStrictRoles([system('A'), user('B')], false)).toEqual([user('A\n\nB')]);
		expect(toStrictRoles([system('A'), user([picture])], false)).toEqual([
			user([{ type: 'text', text: 'A' }, picture]),
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

	test('is strict, keeps all texts, and is its own strict form', () => {
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
	const templateServer = (
		kind: ErrorType,
		serverText: string,
		isTaken: (body: JsonRecord) => boolean,
	) => {
		const sent: JsonRecord[] = [];
		const send = async (body: JsonRecord) => {
			sent.push(body);
			if (!isTaken(body)) throw createServerError(kind, {}, { serverText });
			return await Promise.resolve('answer');
		};
		return { sent, send };
	};
	const isJoined = (body: JsonRecord) => JSON.stringify(body.messages).includes('B\\n\\nC');

	test('is sent once after a refusal of the template, noted, and remembered', async () => {
		const { sent, send } = templateServer('templateRejected', 'roles must alternate', isJoined);
		const outcome = await sendWithAdaptations('place 1', { messages }, [enforceStrictRoles], send);
		expect(outcome.value).toBe('answer');
		expect(outcome.warnings).toEqual([expect.stringContaining('stricter form')]);
		expect(sent).toHaveLength(2);
		await sendWithAdaptations('place 1', { messages }, [enforceStrictRoles], send);
		expect(sent).toHaveLength(3);
	});

	test('tells the first error if the strict form is refused too', async () => {
		let times = 0;
		const send = async () =>
			await Promise.reject(
				createServerError('badRequest', {}, { status: 400, serverText: `refusal ${++times}` }),
			);
		const sending = sendWithAdaptations('place 2', { messages }, [enforceStrictRoles], send);
		await expect(sending).rejects.toMatchObject({ serverText: 'refusal 1' });
		expect(times).toBe(2);
	});

	test('goes without a system message where the server says that it takes none', async () => {
		const { sent, send } = templateServer(
			'templateRejected',
			'System role not supported',
			(body) => !JSON.stringify(body.messages).includes('"system"'),
		);
		await sendWithAdaptations('place 3', { messages }, [enforceStrictRoles], send);
		expect(sent.at(-1)).toEqual({ messages: [user('A\n\nB\n\nC')] });
	});

	test('turns thinking off behind a begun answer (llama.cpp 20861)', async () => {
		const { sent, send } = templateServer(
			'badRequest',
			'Assistant response prefill is incompatible with enable_thinking.',
			(body) => 'chat_template_kwargs' in body,
		);
		const begun = [user('A'), assistant('B')];
		await sendWithAdaptations('place 4', { messages: begun }, [enforceStrictRoles], send);
		expect(sent.at(-1)).toEqual({
			messages: begun,
			chat_template_kwargs: { enable_thinking: false },
		});
	});

	test('is not tried for another failure, or for a strict conversation', async () => {
		const { sent, send } = templateServer('unauthorized', 'key', () => false);
		await expect(
			sendWithAdaptations('place 5', { messages }, [enforceStrictRoles], send),
		).rejects.toThrow();
		expect(sent).toHaveLength(1);
		const other = templateServer('badRequest', 'max_tokens', () => false);
		const strict = { messages: [system('A'), user('B')] };
		await expect(
			sendWithAdaptations('place 6', strict, [enforceStrictRoles], other.send),
		).rejects.toThrow();
		expect(other.sent).toHaveLength(1);
	});
});
