import { ChatClient } from '../chat/client';
import type { ChatSettings } from '../chat/request/request';
import type {
	ChatParameters,
	FinishedAnswer,
	MediaPart,
	SourceMessage,
	Usage,
} from '../chat/types';
import { withMedia } from '../chat/request/content';
import { ZERO_WIDTH_SPACE } from '../plain-text';
import { wirePart } from '../chat/wire/parts';
import { asFailed, type ServerError } from '../errors/server-error';
import { readToEnd } from '../generators';
import type { Connection } from '../http/connection';
import { checkedJson, jsonNotes, jsonError } from '../chat/checked-json';
import { checkSchema } from '../json-schema';
import { addUsage } from './usage';
import { LruCache } from '../lru-cache';
import { type JsonRecord, optional } from '../values';

interface Extraction {
	/** Follows the schema. */
	output: unknown;
	/** The answer with the output: the first one, or the repaired one. */
	answer: FinishedAnswer;
	/** Tokens of all answers. */
	usage?: Usage;
	/** Whether the first answer was wrong. */
	repaired: boolean;
	notes: string[];
}

interface ExtractTask {
	/** What kind of text it is, and what matters; may be empty. */
	instructions: string;
	text: string;
	/** Pictures and sound that belong to the text. */
	media?: readonly MediaPart[];
	/** A JSON schema. */
	schema: JsonRecord;
	/** The schema to check the answer against, if it may be less strict than `schema`. */
	least?: JsonRecord;
}

/**
 * The prompt. It contains the schema, too, for servers that do not enforce it and for the descriptions of fields, which
 * a grammar cannot express. The part that all items share comes first, so that the server's prompt cache works.
 */
function messagesFor({ instructions, text, media = [], schema }: ExtractTask): SourceMessage[] {
	const parts = [
		'Extract data from the text of the user.',
		'Answer with JSON that follows this JSON schema, and with nothing else:',
		JSON.stringify(schema),
		'Take values from the text only. Where it does not tell a value that may be null, write null.',
		...(instructions.trim() === '' ? [] : [instructions.trim()]),
	];
	return [
		{ type: 'system', content: parts.join('\n') },
		{ type: 'human', content: contentOf(text, media) },
	];
}

function contentOf(text: string, media: readonly MediaPart[]): unknown {
	const content = withMedia(text, media);
	return typeof content === 'string' ? content : content.map((part) => wirePart(part));
}

/** Servers and models that refused a response format. They may still answer well without one. */
const refusesFormats = LruCache.shared<true>();

/**
 * Extracts data from a text. The schema is sent as a constraint in the form that the server takes, and the answer is
 * checked here. A wrong answer is sent back once with its faults, to be corrected.
 *
 * @throws {ServerError} of kind `invalidAnswer` with the text of the second answer, if that is wrong as well
 */
export async function extract(
	connection: Connection,
	settings: ChatSettings,
	task: ExtractTask,
	signal?: AbortSignal,
): Promise<Extraction> {
	// Throws for a broken schema before anything is sent.
	const schema = task.least ?? task.schema;
	checkSchema(schema, null);
	const messages = messagesFor(task);
	const ask = async (conversation: readonly SourceMessage[]) =>
		await answerTo(connection, settings, task, conversation, signal);
	const first = await ask(messages);
	const checked = await outcome(first, schema);
	if ('output' in checked) return { ...checked, answer: first, ...usageOf(first), repaired: false };
	const second = await ask([
		...messages,
		{ type: 'ai', content: first.text },
		{ type: 'human', content: repairOf(checked.faults) },
	]);
	const usage = usageOf(first, second);
	const repaired = await outcome(second, schema);
	if ('output' in repaired) return { ...repaired, answer: second, ...usage, repaired: true };
	const context = connection.contextOf(second.url, { model: settings.model });
	throw jsonError(second, context, repaired.faults, {
		cut: 'The token limit cut off the data',
		wrong: 'The model gives no valid data',
		wrongMeaning:
			'The answer of the model does not follow the schema, also not when it was told so',
		remedy:
			'Say in the descriptions what each field means, make fields that a text may lack not required, or choose a larger model. The answer is in the details.',
	});
}

async function outcome(
	{ text, finishReason, notes }: FinishedAnswer,
	schema: JsonRecord,
): Promise<Pick<Extraction, 'output' | 'notes'> | { faults: string[] }> {
	const checked = await checkedWithoutMarks(text, schema);
	if (!('faults' in checked))
		return { output: checked.value, notes: [...notes, ...jsonNotes(checked)] };
	if (checked.faults.length > 0) return checked;
	const isCut = finishReason === 'length';
	return { faults: [isCut ? 'The JSON was cut off by the token limit' : 'It is not JSON'] };
}

/**
 * The JSON of an answer. A choice that holds a control token has an invisible character in the prompt, which the model
 * copies (`withoutControlTokens`).
 */
async function checkedWithoutMarks(text: string, schema: JsonRecord) {
	const checked = await checkedJson(text, schema);
	if (!('faults' in checked) || !text.includes(ZERO_WIDTH_SPACE)) return checked;
	const plain = await checkedJson(text.replaceAll(ZERO_WIDTH_SPACE, ''), schema);
	return 'faults' in plain ? checked : plain;
}

function repairOf(faults: readonly string[]): string {
	return `That is not valid:\n${faults.map((fault) => `- ${fault}`).join('\n')}\nAnswer with the corrected JSON only.`;
}

/** Asks with the schema as a constraint, and again without it where the server refuses it. */
async function answerTo(
	connection: Connection,
	settings: ChatSettings,
	{ schema }: ExtractTask,
	messages: readonly SourceMessage[],
	signal: AbortSignal | undefined,
): Promise<FinishedAnswer> {
	const key = `${connection.url.api} ${settings.model}`;
	const ask = async (format: Pick<ChatParameters, 'responseFormat'>) => {
		const parameters = { ...settings.parameters, ...format };
		const client = new ChatClient(connection, { ...settings, parameters });
		return await readToEnd(client.generate({ messages, signal, whole: true, reuse: true }));
	};
	if (refusesFormats.has(key)) return await ask({});
	const constrained = await ask({ responseFormat: { type: 'jsonSchema', schema } }).then(
		(answer) => ({ answer }),
		asFailed,
	);
	if ('answer' in constrained) return constrained.answer;
	if (!isFormatRefused(constrained.failed)) throw constrained.failed;
	refusesFormats.set(key, true);
	return await ask({});
}

/** Whether a server refused, before it generated anything, because of the format or the grammar made from it. */
export function isFormatRefused({ status = 0, serverText = '' }: ServerError): boolean {
	if (status === 500) return /format/i.test(serverText);
	const isRefusal = status === 400 || status === 422 || status === 501;
	return isRefusal && /schema|grammar|structured|format|logprobs/i.test(serverText);
}

function usageOf(...answers: readonly FinishedAnswer[]): { usage?: Usage } {
	let sum: Usage | undefined;
	for (const { usage } of answers) sum = addUsage(sum, usage);
	return optional({ usage: sum });
}
