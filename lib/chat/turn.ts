/** One turn of a chat in five steps: the conversation, its body, sending, reading, and correcting the model's mistakes. */
import { asFailed, type ServerError } from '../errors/server-error';
import { estimateTokens } from '../servers/unread';
import { requireModel } from '../servers/model-names';
import { identifiedKind, kindOf, propsOf } from '../servers/kinds';
import type { Server } from '../servers/kinds/kind';
import { inSpan } from '../tracing/span';
import { optional } from '../values';
import { ask, isHeldBack, type Read } from './ask';
import { conversationFor } from './conversation';
import { MOST_CORRECTIONS } from './correction';
import { type Turn, draftBody, requireAbilities } from './draft';
import { judge, type Usable, type Verdict } from './judge';
import { notesOn } from './remarks';
import { checkParameters, wantsJson } from './parameters';
import { textOf } from './content';
import { toolNames } from './schema';
import { ownToolCallIds, turnMemory } from './calls';
import { sumOfUsage, tracedAnswer } from './counts';
import type { Call, ChatMessage, ChatSettings, FinishedAnswer, Usage } from './types';
import { Shown } from './thinking';

/**
 * Answers a call.
 *
 * @param show gets the text as it arrives
 * @throws {ServerError} with the text that had arrived in `partialText` and `partialReasoning`
 */
export async function runTurn(
	server: Server,
	settings: ChatSettings,
	call: Call,
	show: (piece: string) => void = () => {},
): Promise<FinishedAnswer> {
	requireModel(settings.model);
	checkParameters(settings.parameters);
	const model = settings.model.trim();
	const { messages, notes } = conversationFor(call.messages, settings);
	const stop = [...new Set([...(settings.parameters.stop ?? []), ...(call.stop ?? [])])];
	const parameters = stop.length === 0 ? settings.parameters : { ...settings.parameters, stop };
	const place = { waitedMs: 0, wasGiven: false, timesGivenUp: 0 };
	const { trace, priority, showThinking } = settings;
	const startedAt = performance.now();
	return await inSpan(
		server,
		{
			operation: 'chat',
			model,
			parameters,
			input: messages,
			...optional({ trace, priority }),
		},
		async (traced) => {
			const turn: Turn = {
				server: traced,
				kind: await kindOf(traced, call.signal),
				settings: { ...settings, model, parameters },
				call,
				place,
				names: toolNames([...(call.tools ?? []), ...(call.furtherTools ?? [])]),
				shown: new Shown(showThinking && !wantsJson(parameters), show),
				startedAt,
			};
			const answer = await answerOf(turn, messages);
			return { ...answer, notes: [...notes, ...answer.notes] };
		},
		(answer) => tracedAnswer(answer, startedAt),
	);
}

/** Asks, and asks again where the model made a mistake. */
async function answerOf(turn: Turn, messages: ChatMessage[]): Promise<FinishedAnswer> {
	const { server, settings, call, shown } = turn;
	const props = await propsOf(server, settings.model, call.signal);
	await requireAbilities(turn, messages, props);
	const first = draftBody(turn, messages);
	let { body } = first;
	let usage: Usage | undefined;
	for (let corrections = 0; ; corrections++) {
		const read = await askTwice(turn, body);
		usage = sumOfUsage(usage, read.outcome.usage);
		const verdict = judge(turn, read, body);
		if (verdict.next === undefined || corrections >= MOST_CORRECTIONS) {
			const answer = await usableOf(verdict, usage);
			const notes = [...first.notes, ...answer.notes];
			return await finished(turn, { messages, read, corrections }, { ...answer, notes });
		}
		body = verdict.next;
		shown.nextTry();
	}
}

/** With the tokens of all tries, also where it fails. */
async function usableOf(verdict: Verdict, usage: Usage | undefined): Promise<Usable> {
	try {
		return { ...(await verdict.usable()), ...optional({ usage }) };
	} catch (error) {
		const { failed } = asFailed(error);
		throw failed.reworded({ facts: { ...failed.facts, ...optional({ usage }) } });
	}
}

/**
 * llama-server drops an answer that its parser cannot read ("Failed to parse input at pos …"): with another seed, the
 * next one may be valid.
 */
async function askTwice(turn: Turn, body: Parameters<typeof ask>[1]): Promise<Read> {
	return await ask(turn, body).catch(async (error: unknown) => {
		const { failed } = asFailed(error);
		if (!isWorthRetrying(failed, turn)) throw failed;
		return await ask(turn, body);
	});
}

function isWorthRetrying({ kind }: ServerError, { settings, shown }: Turn): boolean {
	const { seed, extraBody } = settings.parameters;
	const isRandom = (seed ?? extraBody?.seed ?? -1) === -1;
	return kind === 'outputUnreadable' && shown.text === '' && isRandom;
}

interface Course {
	messages: readonly ChatMessage[];
	read: Read;
	corrections: number;
}

async function finished(
	turn: Turn,
	{ messages, read, corrections }: Course,
	usable: Usable,
): Promise<FinishedAnswer> {
	const { server, shown, startedAt, names } = turn;
	if (isHeldBack(turn)) shown.push(usable);
	shown.close();
	const ids = ownToolCallIds(usable.toolCalls.map(({ id }) => id));
	const toolCalls = usable.toolCalls.map((call, index) => ({
		id: ids[index]!,
		name: names.own(call.name),
		arguments: call.arguments,
	}));
	turnMemory.remember({ ...usable, toolCalls });
	const { reasoning, finishReason, timings, model } = usable;
	return {
		text: shown.text,
		reasoning,
		toolCalls,
		finishReason,
		...optional({ usage: usable.usage ?? estimate(usable, messages), timings, model }),
		notes: await notesOn(turn, messages, { ...usable, ...optional({ usage: read.outcome.usage }) }),
		url: read.url,
		firstTokenMs: read.firstTokenMs,
		totalMs: performance.now() - startedAt,
		...optional({ serverKind: identifiedKind(server), log: logOf(turn, corrections) }),
	};
}

/** Of a minimal server, which neither counts nor says why it ended. */
function estimate(
	{ finishReason, text, reasoning }: Usable,
	messages: readonly ChatMessage[],
): Usage | undefined {
	if (finishReason !== 'unknown') return undefined;
	const inputs = messages.map(({ content }) => estimateTokens(textOf(content)));
	const promptTokens = inputs.reduce((total, tokens) => total + tokens, 0);
	const completionTokens = estimateTokens(text + reasoning);
	const totalTokens = promptTokens + completionTokens;
	return { promptTokens, completionTokens, totalTokens, estimated: true };
}

/** What the execution log shows of queue and corrections. */
function logOf({ place }: Turn, corrections: number): FinishedAnswer['log'] {
	const { waitedMs, wasGiven, timesGivenUp } = place;
	const hasWaited = waitedMs >= 1 || wasGiven || timesGivenUp > 0;
	if (!hasWaited && corrections === 0) return undefined;
	return optional({
		waitedInN8nMs: hasWaited ? Math.round(waitedMs) : undefined,
		placeGivenByBatch: wasGiven || undefined,
		placesGivenUp: timesGivenUp || undefined,
		corrections: corrections || undefined,
	});
}
