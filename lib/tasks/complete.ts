/** Continues a text as it is, without the chat template of the model. */
import { withContext } from '../chat/suggestions';
import { openAiUsage, timingsOf } from '../chat/usage';
import { countsIn, hintOnContext, ollamaBody } from '../chat/ollama-body';
import { checkParameters, parameterFields } from '../chat/parameters';
import type { ChatSettings, Timings, Usage } from '../chat/types';
import { failureInStream, holdsError } from '../errors/classify-error';
import { failure, invalidInput } from '../errors/create-error';
import { asFailed } from '../errors/server-error';
import type { HttpResponse } from '../http/types';
import { TextCount } from '../http/response-body';
import { contextOf } from '../http/request-errors';
import { parseObject } from '../json';
import { requireModel } from '../servers/model-names';
import { type Adaptation, withoutStreamOptions } from '../servers/adaptations';
import { identifiedKind, kindOf } from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { hintOnUnread } from '../servers/truncation';
import { isRecord, type JsonRecord, nonEmptyText, optional, recordsIn, text } from '../values';
import { tooLongIn } from './batches';
import { explained, task, type TaskSettings } from './run-task';

export type CompleteSettings = TaskSettings & Pick<ChatSettings, 'parameters'>;

export interface TextCompletion {
	text: string;
	/** Why it ended: `stop` (the model had finished), `limit`, or the server's own reason. */
	stopType?: string;
	usage?: Usage;
	timings?: Timings;
	model?: string;
}

/**
 * @param prompt a text, or the IDs of its tokens
 * @param show gets the text as it arrives
 * @throws {ServerError} with the text that had arrived in `partialText`
 */
export async function complete(
	server: ModelServer,
	settings: CompleteSettings,
	prompt: string | number[],
	show?: (piece: string) => Promise<void>,
): Promise<TextCompletion & { server?: string; hints: string[] }> {
	const { model, parameters } = settings;
	requireModel(model);
	checkParameters(parameters);
	const kind = await kindOf(server, settings.signal);
	const reload = hintOnContext(kind, server, settings);
	let partial = '';
	const { value, notes } = await task(server, settings, {
		route: (body) =>
			'raw' in body ? `${server.url.root}/api/generate` : `${server.url.api}/completions`,
		framing: kind.native === undefined ? 'events' : 'lines',
		body:
			kind.native === undefined ? openAiBody(settings, kind, prompt) : ownBody(settings, prompt),
		extra: kind.native === undefined ? (parameters.extraBody ?? {}) : {},
		operation: 'text_completion',
		adaptations: [byOpenAi(openAiBody(settings, kind, prompt)), withoutStreamOptions],
		mayGiveUp: show === undefined,
		read: async (answer) => {
			partial = '';
			return await readCompletion(answer, contextOf(server, answer.url, model), async (piece) => {
				partial += piece;
				await show?.(piece);
			});
		},
		tokensOf: ({ usage }) => usage ?? {},
	}).catch(async (error: unknown) => {
		const refusal = asFailed(error).failed;
		const failed = await withContext(
			refusal,
			{ server, kind, model, tokens: tooLongIn(refusal)?.tokens },
			'Or shorten the text.',
		);
		const lacks = { can: 'complete text', remedy: () => 'Use Chat instead of Complete.', model };
		throw (await explained(server, failed, lacks)).withPartial({ text: partial });
	});
	const texts = typeof prompt === 'string' ? [prompt] : [];
	const unread = await hintOnUnread(server, { texts, tokens: value.usage?.promptTokens, model });
	return {
		...value,
		...optional({ server: identifiedKind(server) }),
		hints: [...notes, ...unread, ...reload],
	};
}

function openAiBody(
	{ parameters }: CompleteSettings,
	kind: ServerType,
	prompt: string | number[],
): JsonRecord {
	return {
		prompt,
		stream: true,
		stream_options: { include_usage: true },
		...parameterFields(parameters, kind),
	};
}

/** Of Ollama. `raw`: the prompt as it is, without the template of the model. */
function ownBody({ model, parameters }: CompleteSettings, prompt: string | number[]): JsonRecord {
	if (typeof prompt !== 'string')
		throw invalidInput(
			'This server accepts prompts as text only, not as tokens',
			'Enter the prompt as text.',
		);
	const body = ollamaBody({ model, messages: [], tools: [], parameters });
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const fields = Object.entries(body).filter(([name]) => !['messages', 'context'].includes(name));
	return { prompt, raw: true, truncate: false, ...Object.fromEntries(fields) };
}

/** A gateway may pass on the routes of OpenAI's API only. */
const byOpenAi =
	(body: JsonRecord): Adaptation =>
	({ kind }, { raw, model }) =>
		kind === 'wrongPath' && raw !== undefined
			? { name: 'by the route of OpenAI', apply: () => ({ model, ...body }) }
			: undefined;

async function readCompletion(
	answer: HttpResponse,
	context: ReturnType<typeof contextOf>,
	show: (piece: string) => Promise<void>,
): Promise<TextCompletion> {
	const completion: TextCompletion = { text: '' };
	const count = new TextCount();
	let hasEnded = false;
	const take = async (data: string) => {
		if (data.trim() === '[DONE]') hasEnded = true;
		const event = parseObject(data) ?? {};
		if (holdsError(event.error)) throw failureInStream(data, context);
		const [choice = event] = recordsIn(event.choices);
		const piece = text(choice.text) ?? text(choice.response) ?? '';
		const reason = nonEmptyText(choice.finish_reason) ?? nonEmptyText(choice.done_reason);
		hasEnded ||= reason !== undefined || event.done === true;
		completion.text += piece;
		count.add(piece.length);
		Object.assign(
			completion,
			// It has had another name here.
			optional({ ...factsIn(event), stopType: reason?.replace(/^length$/, 'limit') }),
		);
		if (piece === '') return;
		answer.content();
		await show(piece);
	};
	try {
		for await (const events of answer.events()) {
			for (const data of events) await take(data);
			if (hasEnded) answer.expectEnd();
		}
	} catch (error) {
		// A socket left open behind the end does not matter.
		if (!hasEnded) throw asFailed(error).failed;
	}
	if (hasEnded) return completion;
	const serverText = answer.strayLines().join('\n') || undefined;
	const kind = serverText === undefined ? 'streamEndedEarly' : 'streamError';
	throw failure(kind, context, optional({ serverText }));
}

function factsIn(event: JsonRecord): Partial<TextCompletion> {
	const { usage, timings } = event.done === true ? countsIn(event) : event;
	return {
		usage: openAiUsage(usage),
		timings: isRecord(timings) ? timingsOf(timings) : undefined,
		model: nonEmptyText(event.model),
	};
}
