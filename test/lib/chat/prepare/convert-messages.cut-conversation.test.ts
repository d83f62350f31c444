/**
 * n8n's memory window cuts a conversation anywhere, and runs that failed leave calls without results. Whatever is left, a
 * call keeps its own arguments and a result its own call: a model that sees another's would act on them.
 */
import fc from 'fast-check';

import { convertMessages } from '../../../../lib/chat/prepare/convert-messages';
import { trimHistory } from '../../../../lib/chat/prepare/trim-history';
import type { InputMessage, InputToolCall } from '../../../../lib/chat/input-message';
import type { ChatMessage } from '../../../../lib/chat/chat-message';
import { examples } from '../../../support/jest/properties';
import { toInput } from '../../../support/texts/messages';

interface Call {
	call: InputToolCall & { id: string };
	/** As the model wrote them: not as `JSON.stringify` would. */
	written: string;
	/** Whether the node still has what the model wrote. */
	isCached: boolean;
	result: string;
}

type Message = { message: InputMessage; calls: Call[] } | { message: InputMessage; answers: Call };

/** How n8n writes the calls of one response. `split`: one message for each, as its agent does. */
type Form = 'together' | 'split' | 'resultsReversed';

const round = fc.record({
	form: fc.constantFrom<Form>('together', 'split', 'resultsReversed'),
	idForm: fc.constantFrom('own', 'plain', 'server'),
	calls: fc.array(
		fc.record({
			name: fc.constantFrom('f', 'g'),
			text: fc.string({ maxLength: 4 }),
			isCached: fc.boolean(),
		}),
		{ minLength: 1, maxLength: 4 },
	),
});
const conversation = fc.array(fc.array(round, { maxLength: 3 }), { minLength: 1, maxLength: 3 });

const IDS: Readonly<Record<string, (round: number, call: number) => string>> = {
	own: (of, at) => `n8n${String(111_111_110 + of)}${at}_c${at}`,
	plain: (_of, at) => `call_${at}`,
	server: (_of, at) => `abcdefg${String(10 + at).slice(-2)}`,
};

function toMessages(form: Form, calls: Call[]): Message[] {
	const ask = (list: Call[]): Message => ({
		message: toInput({ type: 'ai', content: '', toolCalls: list.map(({ call }) => call) }),
		calls: list,
	});
	const answer = (one: Call): Message => ({
		message: toInput({ type: 'tool', toolCallId: one.call.id, content: one.result }),
		answers: one,
	});
	if (form === 'split') return calls.flatMap((one) => [ask([one]), answer(one)]);
	const results = calls.map(answer);
	return [ask(calls), ...(form === 'together' ? results : results.reverse())];
}

/** The messages of a conversation in which each call has other arguments and another result. */
function messagesOf(
	turns: typeof conversation extends fc.Arbitrary<infer T> ? T : never,
): Message[] {
	let [callCount, roundCount] = [0, 0];
	return turns.flatMap((rounds, turn) => [
		{ message: toInput({ type: 'human', content: `question ${turn}` }), calls: [] },
		...rounds.flatMap(({ form, idForm, calls }) => {
			const number = roundCount++;
			return toMessages(
				form,
				calls.map(({ name, text, isCached }) => {
					const n = callCount++;
					const args = { n, text };
					return {
						call: { id: IDS[idForm]!(number, n), name, args },
						written: `{ "text": ${JSON.stringify(text)}, "n": ${n} }`,
						isCached,
						result: `result ${n}`,
					};
				}),
			);
		}),
	]);
}

/** Each sent call with its result. */
function sentCalls(messages: readonly ChatMessage[]) {
	return messages.flatMap((message, at) => {
		if (message.role !== 'assistant') return [];
		const end = messages.findIndex(({ role }, index) => index > at && role !== 'tool');
		const results = messages.slice(at + 1, end < 0 ? undefined : end);
		return (message.toolCalls ?? []).map((call) => ({
			name: call.name,
			arguments: call.arguments,
			results: results.flatMap((result) =>
				result.role === 'tool' && result.toolCallId === call.id ? [result.content] : [],
			),
		}));
	});
}

/** Each call that is left together with its result, as it must be sent. */
function expectedCalls(left: readonly Message[]) {
	const answered = new Set(left.flatMap((one) => ('answers' in one ? [one.answers] : [])));
	const calls = left.flatMap((one) => ('calls' in one ? one.calls : []));
	return calls
		.filter((one) => answered.has(one))
		.map(({ call, written, isCached, result }) => ({
			name: call.name,
			arguments: isCached ? written : JSON.stringify(call.args),
			results: [result],
		}));
}

function convert(left: readonly Message[]): ChatMessage[] {
	const calls = new Map(
		left.flatMap((one) => ('calls' in one ? one.calls : [])).map((one) => [one.call.id, one]),
	);
	return convertMessages(
		left.map(({ message }) => message),
		'toolTurns',
		(id) => {
			const known = calls.get(id);
			if (known?.isCached !== true) return undefined;
			return { text: '', reasoning: '', name: known.call.name, arguments: known.written };
		},
	);
}

test('any messages may be missing', () => {
	fc.assert(
		fc.property(conversation, fc.array(fc.boolean(), { maxLength: 30 }), (turns, isMissing) => {
			const left = messagesOf(turns).filter((_message, at) => isMissing[at] !== true);
			expect(sentCalls(convert(left))).toEqual(expectedCalls(left));
		}),
		examples(500),
	);
});

test('any beginning may be missing', () => {
	fc.assert(
		fc.property(conversation, fc.nat(20), (turns, from) => {
			const left = messagesOf(turns).slice(from);
			expect(sentCalls(convert(left))).toEqual(expectedCalls(left));
		}),
	);
});

test('any budget of the history leaves whole pairs', () => {
	fc.assert(
		fc.property(conversation, fc.integer({ min: 1, max: 200 }), (turns, budget) => {
			const all = messagesOf(turns);
			const { messages } = trimHistory(convert(all), budget);
			const sent = sentCalls(messages);
			expect(sent).toEqual(expectedCalls(all).slice(-sent.length || Infinity));
		}),
	);
});
