import { withoutThinking } from '../chat/answer/text-formats/thinking';
import type {
	ChatAnswer,
	ChatMessage,
	ChatParameters,
	ChatRequest,
	ResponseFormat,
	WireChunk,
} from '../chat/types';
import { ollamaProtocol } from '../chat/wire/ollama';
import { openAiProtocol } from '../chat/wire/openai';
import type { ChatProtocol } from '../chat/wire/protocol';
import { asFailed, type ServerError } from '../errors/server-error';
import type { CallAnswer } from '../http/types';
import { type KindName, kindOf } from '../servers/kinds';
import type { Attempt } from '../servers/pool/server-pool';
import { optional, recordOf, recordsIn } from '../values';
import { isFormatRefused } from './extract';
import { keysFor, type Label, labelGrammar, labelSchema } from './labels';

/** The maximum of OpenAI's API. */
const TOP_LOGPROBS = 20;
/** Enough for a character, its quotes and the end. */
const TOKENS_PER_LABEL = 3;
/** Without constraints: enough for a name in a sentence. */
const FREE_TOKENS = 64;
/** For a model that thinks although it should not. */
const THINKING_TOKENS = 2048;

/** One question to one server. */
export interface LabelQuestion {
	attempt: Attempt;
	parameters: ChatParameters;
	kind: KindName;
	messages: ChatMessage[];
	labels: readonly Label[];
	several: boolean;
	signal?: AbortSignal;
	/**
	 * Whether a grammar or schema limits the answer to the labels' keys, with probabilities; otherwise only the prompt
	 * does.
	 */
	isConstrained: boolean;
	/** Whether there is room for thinking; otherwise a few tokens only. */
	isLong: boolean;
}

/** What the model wrote. */
export interface LabelAnswer extends Pick<ChatAnswer, 'text' | 'usage' | 'model'> {
	isCut: boolean;
	/** As the server sent them, in the form of OpenAI's `logprobs.content`. */
	logprobs: unknown;
}

/**
 * Asks which labels fit, on OpenAI's route or Ollama's own.
 *
 * @returns the answer; undefined where the server refuses the constraints
 * @throws {ServerError}
 */
export async function askForLabels(asked: LabelQuestion): Promise<LabelAnswer | undefined> {
	const { signal, isConstrained } = asked;
	const { connection, limits, model, retry } = asked.attempt;
	const request = requestOf(asked);
	const protocol = kindOf(asked.kind).hasOllamaApi === true ? ollamaProtocol : openAiProtocol;
	const about = { model };
	const json = protocol.body(request);
	const sent = await connection
		.answer(protocol.url(connection.url), {
			json,
			signal,
			limits,
			about,
			retry: retry?.(),
			reuse: true,
		})
		.then((answer) => ({ answer }), asFailed);
	if ('failed' in sent) {
		const { failed } = sent;
		if (isConstrained && (isFormatRefused(failed) || refusesFields(failed))) return undefined;
		throw failed;
	}
	const read = readAnswer(sent.answer, protocol);
	if (read === undefined) throw connection.refusal(sent.answer, about);
	return read;
}

function refusesFields({ status, serverText = '' }: ServerError): boolean {
	return status === 422 && /extra (?:inputs are|fields) not permitted/i.test(serverText);
}

function requestOf(question: LabelQuestion): ChatRequest {
	const { attempt, parameters, kind, messages, labels, several, isConstrained, isLong } = question;
	const held = TOKENS_PER_LABEL * (several ? labels.length + 1 : 2);
	const {
		maxTokens = isLong ? THINKING_TOKENS : isConstrained ? held : FREE_TOKENS,
		extraBody = {},
	} = parameters;
	return {
		model: attempt.model,
		messages,
		serverKind: kind,
		stream: false,
		parameters: {
			...parameters,
			maxTokens,
			...(isConstrained || kindOf(kind).hasOllamaApi === true ? { thinking: { mode: 'off' } } : {}),
			...(isConstrained ? { responseFormat: formatOf(kind, keysFor(labels), several) } : {}),
			extraBody: {
				...(isConstrained ? { logprobs: true, top_logprobs: TOP_LOGPROBS } : {}),
				...extraBody,
			},
		},
	};
}

/** A grammar costs one token less than a schema, whose answers have quotes. */
function formatOf(kind: KindName, keys: readonly string[], several: boolean): ResponseFormat {
	return kindOf(kind).keepsToGrammar === true
		? { type: 'grammar', grammar: labelGrammar(keys, several) }
		: { type: 'jsonSchema', name: 'category', schema: labelSchema(keys, several) };
}

/** Undefined where the body is no answer of a chat. */
function readAnswer(
	{ text: data, json }: CallAnswer,
	{ decode }: ChatProtocol,
): LabelAnswer | undefined {
	let chunk: WireChunk;
	try {
		chunk = decode({ event: 'whole-answer', data });
	} catch {
		return undefined;
	}
	const { text = '', finishReason, usage, model, error } = chunk;
	const body = recordOf(json);
	const [choice] = recordsIn(body.choices);
	return error === undefined
		? {
				text: withoutThinking(text).text,
				isCut: finishReason === 'length',
				logprobs: choice === undefined ? body.logprobs : recordOf(choice.logprobs).content,
				...optional({ usage, model }),
			}
		: undefined;
}
