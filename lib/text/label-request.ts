import { readEvent } from '../chat/answer/chain';
import { NEEDED_FIELDS } from '../chat/send';
import { withoutThinking } from '../chat/text-formats/thinking';
import type {
	AnswerContent,
	ChatMessage,
	ChatParameters,
	ChatRequest,
	ResponseFormat,
	WireChunk,
} from '../chat/types';
import type { ChatProtocol } from '../chat/wire/protocol';
import { nativeProtocolOf, openAiProtocol } from '../chat/wire/protocols';
import { asFailed, type ServerError } from '../errors/server-error';
import type { CallAnswer } from '../http/types';
import { type KindName, kindOf } from '../servers/kinds';
import { modelKey } from '../servers/model-key';
import type { Attempt } from '../servers/retry';
import { type FieldChanges, refusedFieldsIn, sendWithoutRefused } from '../servers/refused-fields';
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

/** The longest answer: 2,048 tokens with the probabilities of 20 others are about 4 MB. */
export const MAX_LABEL_BYTES = 8 * 1024 * 1024;

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
export interface LabelAnswer extends Pick<AnswerContent, 'text' | 'usage' | 'model'> {
	isCut: boolean;
	/** As the server sent them, in the form of OpenAI's `logprobs.content`. */
	logprobs: unknown;
}

/**
 * Asks which labels fit, on OpenAI's route or Ollama's own. Fields that the server refuses are left out.
 *
 * @returns the answer; undefined where the server refuses the constraints
 * @throws {ServerError}
 */
export async function askForLabels(question: LabelQuestion): Promise<LabelAnswer | undefined> {
	const native = nativeProtocolOf(question.kind) ?? openAiProtocol;
	const outcome = await askBy(native, question).then((answer) => ({ answer }), asFailed);
	if ('answer' in outcome) return outcome.answer;
	// A proxy may pass on the routes of OpenAI's API only.
	if (outcome.failed.kind !== 'wrongPath' || native === openAiProtocol) throw outcome.failed;
	return await askBy(openAiProtocol, question);
}

async function askBy(
	protocol: ChatProtocol,
	question: LabelQuestion,
): Promise<LabelAnswer | undefined> {
	const { outcome } = await sendWithoutRefused(
		modelKey(question.attempt),
		(name) => isNeededFor(question, name),
		async (changes) =>
			await send(question, protocol, changes).then((answer) => ({ answer }), asFailed),
	);
	if ('answer' in outcome) return labelAnswerIn(outcome.answer, question, protocol);
	if (question.isConstrained && areConstraintsRefused(outcome.failed)) return undefined;
	throw outcome.failed;
}

async function send(
	question: LabelQuestion,
	protocol: ChatProtocol,
	fieldChanges: FieldChanges,
): Promise<CallAnswer> {
	const { connection, limits, model, newRetryPolicy } = question.attempt;
	return await connection.answer(protocol.url(connection.url), {
		json: protocol.body({ ...requestOf(question), fieldChanges }),
		signal: question.signal,
		limits,
		about: { model },
		retry: newRetryPolicy(),
		reuse: true,
		maxBytes: MAX_LABEL_BYTES,
	});
}

function isNeededFor({ parameters }: LabelQuestion, name: string): boolean {
	return NEEDED_FIELDS.has(name) || name in (parameters.extraBody ?? {});
}

function areConstraintsRefused(failed: ServerError): boolean {
	return isFormatRefused(failed) || refusedFieldsIn(failed.serverText ?? '').length > 0;
}

/** @throws {ServerError} where the body is no answer of a chat */
function labelAnswerIn(
	answer: CallAnswer,
	{ attempt: { connection, model } }: LabelQuestion,
	protocol: ChatProtocol,
): LabelAnswer {
	const labelAnswer = readAnswer(answer, protocol);
	if (labelAnswer === undefined) throw connection.refusal(answer, { model });
	return labelAnswer;
}

function requestOf(question: LabelQuestion): ChatRequest {
	const { attempt, parameters, kind, messages, isConstrained } = question;
	const { maxTokens = tokenLimit(question), extraBody = {} } = parameters;
	const isThinkingOff = isConstrained || nativeProtocolOf(kind) !== undefined;
	const logprobs = { logprobs: true, top_logprobs: TOP_LOGPROBS };
	return {
		model: attempt.model,
		messages,
		serverKind: kind,
		stream: false,
		parameters: {
			...parameters,
			maxTokens,
			...optional({
				thinking: isThinkingOff ? { mode: 'off' } : undefined,
				responseFormat: isConstrained ? formatOf(question) : undefined,
			}),
			extraBody: isConstrained ? { ...logprobs, ...extraBody } : extraBody,
		},
	};
}

function tokenLimit({ isLong, isConstrained, several, labels }: LabelQuestion): number {
	if (isLong) return THINKING_TOKENS;
	if (!isConstrained) return FREE_TOKENS;
	return TOKENS_PER_LABEL * (several ? labels.length + 1 : 2);
}

/** A grammar costs one token less than a schema, whose answers have quotes. */
function formatOf({ kind, labels, several }: LabelQuestion): ResponseFormat {
	const keys = keysFor(labels);
	if (kindOf(kind).chat.grammar?.isEnforced === true)
		return { type: 'grammar', grammar: labelGrammar(keys, several) };
	return { type: 'jsonSchema', name: 'category', schema: labelSchema(keys, several) };
}

/** Undefined where the body is no answer of a chat. */
function readAnswer(
	{ text: data, json }: CallAnswer,
	protocol: ChatProtocol,
): LabelAnswer | undefined {
	// Some servers stream whatever they are asked for.
	const pieces = /^data:/.test(data) ? data.match(/(?<=^data: ?)\{.*/gm) : undefined;
	let chunks: WireChunk[];
	try {
		chunks = (pieces ?? [data]).map((one) =>
			readEvent(protocol, { event: 'whole-answer', data: one }),
		);
	} catch {
		return undefined;
	}
	const text = chunks.map((chunk) => chunk.text ?? '').join('');
	const { finishReason, usage, model, error } = Object.assign({}, ...chunks) as WireChunk;
	if (error !== undefined) return undefined;
	const body = recordOf(json);
	const [choice] = recordsIn(body.choices);
	return {
		text: withoutThinking(text).text,
		isCut: finishReason === 'length',
		logprobs: choice === undefined ? body.logprobs : recordOf(choice.logprobs).content,
		...optional({ usage, model }),
	};
}
