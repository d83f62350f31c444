/** Asks a decision model typed questions about a state: one pass of the model, and probabilities instead of text. */
import type { Usage } from '../chat/chat-result';
import type { PromptSource, SentMedia } from '../errors/facts';
import type { ErrorContext } from '../errors/create-error';
import { createInputError, createServerError } from '../errors/create-error';
import { assertTextLength } from '../errors/text-limits';
import type { RequestField } from '../exchange/request-fields';
import type { ContentPart } from '../files/read-file';
import type { Origin } from '../origin';
import { toErrorContext } from '../http/request-errors';
import { assertModelName } from '../servers/model-names';
import { getOnlyModelWarnings } from '../servers/only-model';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import type { ServerTypeName } from '../server-type-name';
import {
	breakTokensByForm,
	changeTexts,
	createTokenBreaker,
	getTokenChange,
} from '../text/turn-tokens';
import { isTooDeep } from '../values/json';
import { asFiniteNumber } from '../values/numbers';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asRecord, isRecord } from '../values/records';
import { truncate } from '../values/text';
import type { Answer } from './answers';
import { parseAnswer } from './answers';
import type { Question } from './questions';
import { assertQuestions, changeQuestion, toWireQuestions } from './questions';
import { readJson } from './read-json';
import type { TaskSettings } from './run-task';
import { fetchTemplateTokens, runTask } from './run-task';

/** What is decided. */
export interface DecideRequest {
	/** Text, or any JSON. */
	state: unknown;
	/** Who wrote the state. */
	stateOrigin: Origin;
	/** Images and audio, and texts that follow the state. */
	files: readonly ContentPart[];
	/** At least one. */
	questions: readonly Question[];
	/** Who wrote the questions. */
	questionOrigin: Origin;
	/** Additional fields of the request. */
	extraBody: JsonRecord;
	/** What users call the state, for advice about its length. */
	promptSource: PromptSource;
}

export interface Decision {
	/** In the order of the questions. */
	answers: readonly Answer[];
	/** Of all requests; undefined if the server reports none. */
	usage: Usage | undefined;
	/** The model that the response names. */
	model: string | undefined;
	/** Undefined if the server was not recognized. */
	server: ServerTypeName | undefined;
	warnings: string[];
}

/** What a decision sends. */
export const DECIDE_FIELDS: readonly RequestField[] = [
	{ field: 'state', label: 'State', canOmit: false },
	{ field: 'questions', label: 'Questions', canOmit: false },
	{ field: 'images', otherNames: ['files'], label: 'Input Binary Fields', canOmit: false },
];

/** Questions of one request: the limit of hosted models. */
const MAX_REQUEST_QUESTIONS = 64;

/**
 * Asks the questions, at most 64 in a request.
 *
 * @throws {ServerError} also if an answer is missing or none: its facts have the others
 */
export async function decide(
	server: ModelServer,
	settings: TaskSettings,
	{ state, stateOrigin, files, questions, questionOrigin, extraBody, promptSource }: DecideRequest,
): Promise<Decision> {
	const { model, signal } = settings;
	assertModelName(model);
	assertQuestions(questions);
	assertState(state);
	const { texts, ...media } = toFileFields(files);
	await getProfile(server).fetchType(signal);
	const breakExact = createTokenBreaker(await fetchTemplateTokens(server, settings));
	const wireQuestions = questions.map((question) =>
		changeQuestion(question, getTokenChange(questionOrigin, breakExact)),
	);
	assertQuestions(wireQuestions);
	const sent = {
		...media,
		state: withTexts(changeTexts(state, getTokenChange(stateOrigin, breakExact)), texts),
		extraBody,
		promptSource,
	};
	const parts: DecisionPart[] = [];
	for (let start = 0; start < questions.length; start += MAX_REQUEST_QUESTIONS)
		parts.push(
			await requestAnswers(server, settings, {
				...sent,
				questions: questions.slice(start, start + MAX_REQUEST_QUESTIONS),
				wireQuestions: wireQuestions.slice(start, start + MAX_REQUEST_QUESTIONS),
			}),
		);
	const reported = parts.map((part) => part.model).find((name) => name !== undefined);
	const warnings = new Set([
		...parts.flatMap((part) => part.warnings),
		...getOnlyModelWarnings(server, { requested: model, reported }),
	]);
	return {
		answers: parts.flatMap(({ answers }) => answers),
		usage: sumUsage(parts),
		model: reported,
		server: getProfile(server).getRecognizedName(),
		warnings: [...warnings],
	};
}

/** One request. */
interface PartRequest {
	state: unknown;
	/** Data URLs. */
	media: JsonRecord;
	/** Types of the files, for advice. */
	sentMedia: readonly SentMedia[];
	questions: readonly Question[];
	/** The same as they are sent, without tokens of chat templates. The server answers to their names. */
	wireQuestions: readonly Question[];
	extraBody: JsonRecord;
	promptSource: PromptSource;
}

/** What one request found out. */
interface DecisionPart {
	answers: readonly Answer[];
	inputTokens: number | undefined;
	model: string | undefined;
	warnings: readonly string[];
}

async function requestAnswers(
	server: ModelServer,
	settings: TaskSettings,
	{ state, media, sentMedia, questions, wireQuestions, extraBody, promptSource }: PartRequest,
): Promise<DecisionPart> {
	const { value, warnings } = await runTask(server, settings, {
		task: 'decide',
		arePropsRequested: true,
		routes: ['systemOne'],
		fields: DECIDE_FIELDS,
		toBody: () => ({ state, ...media, questions: toWireQuestions(wireQuestions), ...extraBody }),
		extraBody,
		isIdempotent: true,
		isPreemptible: true,
		readResponse: async (response) => {
			const json = await readJson(response);
			const { answers } = asRecord(json);
			if (isRecord(answers)) return { json: asRecord(json), answers };
			throw createServerError('invalidResponse', response.errorContext, {
				about: { resultIssue: { kind: 'noAnswers' } },
			});
		},
		getFacts: () => ({
			// A model without images rejects them with the status of a model without decisions.
			...(sentMedia.length > 0 ? { media: () => sentMedia } : { task: () => 'decisions' }),
			promptSource: () => promptSource,
		}),
	});
	const { json, answers } = value;
	const context = toErrorContext(server, { url: server.getApiUrl(), model: settings.model });
	return {
		answers: readAnswers({ questions, wireQuestions }, answers, context),
		inputTokens: asFiniteNumber(asRecord(json.usage).input_tokens),
		model: asNonEmptyString(json.model),
		warnings: [...warnings, ...getUnaskedWarnings(wireQuestions, answers)],
	};
}

const MAX_NAMES = 10;

/** @throws {ServerError} of type `invalidResponse` that names each question whose answer is none */
function readAnswers(
	{ questions, wireQuestions }: Pick<PartRequest, 'questions' | 'wireQuestions'>,
	received: JsonRecord,
	context: ErrorContext,
): Answer[] {
	const parsed = wireQuestions.map((question) => parseAnswer(question, received));
	const problems = parsed.flatMap((result, at) =>
		result.ok ? [] : [{ question: questions[at]!.name, problem: result.problem }],
	);
	if (problems.length > 0)
		throw createServerError('invalidResponse', context, {
			about: { resultIssue: { kind: 'answers', problems: problems.slice(0, MAX_NAMES) } },
			facts: { answers: received },
		});
	return parsed.flatMap((result) => (result.ok ? [result.answer] : []));
}

function getUnaskedWarnings(questions: readonly Question[], received: JsonRecord): string[] {
	const asked = new Set(questions.map(({ name }) => name));
	const unasked = Object.keys(received).filter((name) => !asked.has(name));
	if (unasked.length === 0) return [];
	const names = unasked.slice(0, MAX_NAMES).map((name) => `"${truncate(name, MAX_NAME)}"`);
	return [`The server answered questions that were not asked: ${names.join(', ')}.`];
}

const MAX_NAME = 100;

function sumUsage(parts: readonly DecisionPart[]): Usage | undefined {
	const counts = parts.flatMap(({ inputTokens }) => inputTokens ?? []);
	if (counts.length === 0) return undefined;
	const promptTokens = counts.reduce((sum, count) => sum + count, 0);
	return { promptTokens, completionTokens: 0, totalTokens: promptTokens };
}

/** @throws {ServerError} of type `invalidInput` for a state that cannot be sent */
function assertState(state: unknown): void {
	if (isTooDeep(state))
		throw createInputError('The state is nested too deeply', 'Pass only the fields that matter.', {
			field: 'State',
		});
	if (typeof state !== 'string')
		assertTextLength(JSON.stringify(state ?? null), 'The field "State"');
}

/** What files add to a request. */
interface FileFields extends Pick<PartRequest, 'media' | 'sentMedia'> {
	/** Texts that follow the state. */
	texts: readonly string[];
}

/** @throws {ServerError} of type `invalidInput` for video */
function toFileFields(files: readonly ContentPart[]): FileFields {
	const texts = files.flatMap((part) => (part.type === 'text' ? [part.text] : []));
	const media = files.flatMap((part) => (part.type === 'text' ? [] : [part]));
	const urls = media.map((part) => {
		if (part.type === 'video')
			throw createInputError(
				'Decision models do not read video',
				'Pass single images of the video instead.',
			);
		return part.type === 'audio' ? `data:audio/${part.format};base64,${part.data}` : part.url;
	});
	const hasSound = media.some(({ type }) => type === 'audio');
	return {
		texts,
		// llama-server has both names; others know images only.
		media: urls.length === 0 ? {} : { [hasSound ? 'files' : 'images']: urls },
		sentMedia: urls.map((url) => ({ mimeType: /^data:([^;,]{1,100})/.exec(url)?.[1] })),
	};
}

function withTexts(state: unknown, texts: readonly string[]): unknown {
	if (texts.length === 0) return state;
	const files = texts.map(breakTokensByForm);
	return typeof state === 'string' ? [state, ...files].join('\n\n') : { state, files };
}
