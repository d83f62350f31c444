/** Turns the bytes of a body into a checked answer, without a socket. */
import { Assembly, type AssemblyOptions } from '../../../lib/chat/answer/assembly';
import { readEvent } from '../../../lib/chat/answer/chain';
import type { JudgedAnswer } from '../../../lib/chat/answer/collector';
import type { AnswerContent, SplitText } from '../../../lib/chat/types';
import { openAiProtocol } from '../../../lib/chat/wire/openai';
import { type ServerSentEvent, SseDecoder } from '../../../lib/http/sse';
import { wire } from '../../support/streams';

export interface Assembled {
	result: JudgedAnswer;
	/** All emitted text, joined. */
	text: string;
	reasoning: string;
	assembly: Assembly;
}

/** What is shown of several slices. */
export function joined(slices: Iterable<SplitText>): SplitText {
	const shown = { text: '', reasoning: '' };
	for (const { text, reasoning } of slices) {
		shown.text += text;
		shown.reasoning += reasoning;
	}
	return shown;
}

let made = 0;
/** The server's ids as they are, and ids that tests can recognise where it gave none. */
const callIds: AssemblyOptions['callIds'] = (serverIds) =>
	serverIds.map((id) => id ?? `made-${(made += 1)}`);

function isCut(event: ServerSentEvent): boolean {
	try {
		return readEvent(openAiProtocol, event) === undefined;
	} catch {
		return event.event !== 'whole-answer';
	}
}

/** Feeds decoded events; `end` flushes and finishes. */
function feed(
	batches: Iterable<ServerSentEvent[]>,
	strayLines: () => readonly string[],
	options: AssemblyOptions,
): Assembled {
	const assembly = new Assembly({ callIds, ...options });
	const steps: SplitText[] = [];
	const events = [...batches].flat();
	for (const [index, event] of events.entries()) {
		// As the client does it: a last event that is no JSON is where the stream was cut.
		if (assembly.hasEnded || (index === events.length - 1 && isCut(event))) break;
		steps.push(...assembly.push(openAiProtocol.decode(event)));
	}
	steps.push(...assembly.flush());
	return {
		result: assembly.finish(strayLines()),
		text: steps.map(({ text }) => text).join(''),
		reasoning: steps.map(({ reasoning }) => reasoning).join(''),
		assembly,
	};
}

/** A body of server-sent events, in the pieces in which it arrives. */
export function assembleBytes(
	pieces: Iterable<Uint8Array>,
	options: AssemblyOptions = {},
): Assembled {
	const decoder = new SseDecoder();
	const batches = function* () {
		for (const piece of pieces) yield decoder.push(piece);
		yield decoder.end();
	};
	return feed(batches(), () => decoder.strayLines, options);
}

/** Objects and texts as the data of events: `assemble([{ choices: [] }, '[DONE]'])`. */
export function assemble(
	events: ReadonlyArray<object | string>,
	options: AssemblyOptions = {},
): Assembled {
	return assembleBytes([wire(events)], options);
}

/** A JSON answer in one piece. */
export function assembleWhole(body: string | object, options: AssemblyOptions = {}): Assembled {
	return feed(
		[[{ event: 'whole-answer', data: typeof body === 'string' ? body : JSON.stringify(body) }]],
		() => [],
		options,
	);
}

/** The answer; fails when there is none. */
export function answerOf({ result }: Pick<Assembled, 'result'>): AnswerContent {
	if ('failed' in result) throw new Error(`no answer but ${JSON.stringify(result.failed)}`);
	return result.answer;
}

/** The failure; fails when there is an answer. */
export function failureOf({ result }: Pick<Assembled, 'result'>) {
	if ('answer' in result) throw new Error(`no failure but ${JSON.stringify(result.answer)}`);
	return result.failed;
}

/** One chunk of a chat stream with this delta. */
export const delta = (fields: object, more: object = {}) => ({
	choices: [{ finish_reason: null, index: 0, delta: fields }],
	object: 'chat.completion.chunk',
	...more,
});
export const finish = (reason: string, more: object = {}) => ({
	choices: [{ finish_reason: reason, index: 0, delta: {} }],
	object: 'chat.completion.chunk',
	...more,
});
export const role = delta({ role: 'assistant', content: null });
export const DONE = '[DONE]';
/** A piece of a tool call. */
export const piece = (index: number | undefined, fn: object, more: object = {}) =>
	delta({ tool_calls: [{ ...(index === undefined ? {} : { index }), ...more, function: fn }] });
