import { parameterFields, thinkingFields } from '../chat/request/parameters';
import { withoutThinking } from '../chat/answer/text-formats/thinking';
import type { ChatParameters, Usage } from '../chat/types';
import { nativeOptions, sortExtraBody } from '../chat/wire/ollama-options';
import { asFailed, type ServerError } from '../errors/server-error';
import type { Attempt } from '../servers/pool/server-pool';
import { traitsOf } from '../servers/kinds';
import type { ServerKind } from '../servers/kinds/kind';
import { finiteNumber, isRecord, nonEmptyText, optional, recordOf, recordsIn } from '../values';
import { isFormatRefused } from './extract';
import { keysFor, type Label, labelGrammar, labelSchema } from './labels';

/** As many as OpenAI's API allows. */
const TOP_LOGPROBS = 20;
/** Enough for a sign, its quotes and the end. */
const TOKENS_PER_LABEL = 3;
/** For a server that nothing holds to the signs: enough for a name in a sentence. */
const FREE_TOKENS = 64;
/** For a model that thinks although it should not. */
const THINKING_TOKENS = 2048;

/** One question to one server. */
export interface LabelQuestion {
	attempt: Attempt;
	parameters: ChatParameters;
	kind: ServerKind;
	messages: object[];
	labels: readonly Label[];
	several: boolean;
	signal?: AbortSignal;
	/** To the signs, by a grammar or a schema, and with probabilities; else by the prompt alone. */
	isHeld: boolean;
	/** With room for thoughts; else to a few tokens. */
	isLong: boolean;
}

/** What the model wrote. */
export interface LabelAnswer {
	text: string;
	isCut: boolean;
	/** As the server sent them. */
	logprobs: unknown;
	usage?: Usage;
	model?: string;
	url: string;
}

/**
 * Asks which labels fit, on OpenAI's route or Ollama's own.
 *
 * @returns the answer; undefined where the server refuses to hold the model to the signs
 * @throws {ServerError}
 */
export async function askForLabels(asked: LabelQuestion): Promise<LabelAnswer | undefined> {
	const { signal, isHeld } = asked;
	const { connection, limits, model, retry } = asked.attempt;
	const { url, json } = requestOf(asked);
	const about = { model };
	const sent = await connection
		.answer(url, { json, signal, limits, about, retry: retry?.(), reuse: true })
		.then((answer) => ({ answer }), asFailed);
	if ('failed' in sent) {
		const { failed } = sent;
		if (isHeld && (isFormatRefused(failed) || refusesFields(failed))) return undefined;
		throw failed;
	}
	const read = readAnswer(sent.answer.json, sent.answer.url);
	if (read === undefined) throw connection.refusal(sent.answer, about);
	return read;
}

function refusesFields({ status, serverText = '' }: ServerError): boolean {
	return status === 422 && /extra (?:inputs are|fields) not permitted/i.test(serverText);
}

function requestOf({ attempt, parameters: given, kind, messages, labels, several, isHeld, isLong }: LabelQuestion): {
	url: string;
	json: object;
} {
	const keys = keysFor(labels);
	const held = TOKENS_PER_LABEL * (several ? labels.length + 1 : 2);
	const { maxTokens = isLong ? THINKING_TOKENS : isHeld ? held : FREE_TOKENS, extraBody = {}, ...rest } = given;
	const parameters: ChatParameters = {
		...rest,
		maxTokens,
		thinking: { mode: 'off' },
	};
	const { connection, model } = attempt;
	if (traitsOf(kind).hasOllamaApi === true) {
		return {
			url: `${connection.url.root}/api/chat`,
			json: {
				model,
				messages,
				stream: false,
				think: false,
				...optional({ keep_alive: parameters.keepAlive }),
				options: nativeOptions({ ...parameters, extraBody }),
				...(isHeld ? { format: labelSchema(keys, several), logprobs: true, top_logprobs: TOP_LOGPROBS } : {}),
				...sortExtraBody(extraBody).fields,
			},
		};
	}
	return {
		url: `${connection.url.api}/chat/completions`,
		json: {
			model,
			messages,
			stream: false,
			...parameterFields(parameters, kind),
			...(isHeld
				? {
						...thinkingFields(parameters, kind),
						...heldTo(kind, keys, several),
						logprobs: true,
						top_logprobs: TOP_LOGPROBS,
					}
				: {}),
			...extraBody,
		},
	};
}

/** A grammar costs a token less than a schema, whose answer has quotes. */
function heldTo(kind: ServerKind, keys: readonly string[], several: boolean): object {
	const { grammar, keepsToGrammar } = traitsOf(kind);
	if (keepsToGrammar === true && grammar !== undefined) return grammar(labelGrammar(keys, several));
	return {
		response_format: {
			type: 'json_schema',
			json_schema: { name: 'category', strict: true, schema: labelSchema(keys, several) },
		},
	};
}

/** An answer of OpenAI's API or of Ollama's; undefined where it is none. */
function readAnswer(body: unknown, url: string): LabelAnswer | undefined {
	if (!isRecord(body)) return undefined;
	const [choice] = recordsIn(body.choices);
	const message = recordOf(choice?.message ?? body.message);
	const content = message.content;
	if (typeof content !== 'string' && content !== null) return undefined;
	const model = nonEmptyText(body.model);
	const usage = usageIn(body);
	return {
		text: withoutThinking(content ?? '').text,
		isCut: (choice?.finish_reason ?? body.done_reason) === 'length',
		logprobs: choice === undefined ? body.logprobs : recordOf(choice.logprobs).content,
		...optional({ usage, model }),
		url,
	};
}

function usageIn(body: Record<string, unknown>): Usage | undefined {
	const usage = recordOf(body.usage);
	const promptTokens = finiteNumber(usage.prompt_tokens) ?? finiteNumber(body.prompt_eval_count);
	const completionTokens = finiteNumber(usage.completion_tokens) ?? finiteNumber(body.eval_count);
	if (promptTokens === undefined && completionTokens === undefined) return undefined;
	const cachedTokens = finiteNumber(recordOf(usage.prompt_tokens_details).cached_tokens);
	const [prompt, completion] = [promptTokens ?? 0, completionTokens ?? 0];
	return {
		promptTokens: prompt,
		completionTokens: completion,
		totalTokens: prompt + completion,
		...optional({ cachedTokens }),
	};
}
