/**
 * Chooses the labels of a text. The model writes one character per label, constrained to these characters if the server
 * supports it, so a response has one or two tokens. The confidence comes from their probabilities.
 */
import { getContextWarnings } from '../chat/body/context-warnings';
import { getIgnoredOptionWarnings } from '../chat/body/ignored-options';
import { enforceStrictRoles } from '../chat/body/strict-roles';
import { getText, hasMedia } from '../chat/content';
import { assertCapabilities } from '../chat/prepare/capabilities';
import { prepareMessages } from '../chat/prepare/prepare-messages';
import { addUsage } from '../chat/read/usage';
import type { Usage } from '../chat/chat-result';
import { findSentMedia, isAboutMedia } from '../chat/sent-media';
import { createInputError } from '../errors/create-error';
import type { Origin } from '../origin';
import { changeThinking } from '../exchange/adaptations';
import { getRoutes } from '../exchange/routes';
import { assertModelName } from '../servers/model-names';
import { getOnlyModelWarnings } from '../servers/only-model';
import { decidesOnly } from '../servers/assert-writes-text';
import { getProfile } from '../servers/profile';
import { collectTruncationWarnings } from '../servers/truncation';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { maxOf, minOf } from '../values/numbers';
import type {
	Classification,
	ClassifyRequest,
	ClassifySettings,
	LabelDraft,
	LabelResult,
	LabelCompletion,
} from './classify-request';
import {
	buildLabelBody,
	buildMessages,
	CLASSIFY_FIELDS,
	correctDraft,
	FREE_TOKENS,
	omitConstraints,
	readLabelCompletion,
} from './classify-request';
import type { Label } from './labels';
import { LabelSet, lower, MAX_LABELS } from './labels';
import { fetchTemplateTokens, runTask } from './run-task';
import { toText } from '../values/text';
import type { Answer } from './answers';
import { decide } from './decide';
import type { Question } from './questions';

/**
 * Sends at most two requests.
 *
 * @throws a `ServerError`, of type `invalidInput` for a list of labels that cannot be used.
 */
export async function classify(
	server: ModelServer,
	settings: ClassifySettings,
	request: ClassifyRequest,
): Promise<Classification> {
	const { labels, allowNone, isMultiLabel } = request;
	assertLabels(labels, allowNone ? MAX_LABELS - 1 : MAX_LABELS);
	assertModelName(settings.model);
	const { signal } = settings;
	const serverType = await getProfile(server).fetchType(signal);
	if (await decidesOnly(server, settings.model, signal)) {
		const noneLabel = allowNone && !isMultiLabel ? createNoneLabel(labels) : undefined;
		return await classifyByDecision(server, settings, { request, noneLabel });
	}
	const allLabels = allowNone ? [...labels, createNoneLabel(labels)] : labels;
	const options = new LabelSet(allLabels, isMultiLabel);
	const chat = { ...settings, ...PLAIN, timeouts: {}, retries: 0 };
	const { messages } = prepareMessages(buildMessages(request, options), chat);
	const chatContext = { server, serverType, settings: chat, chatRequest: { messages: [], signal } };
	await assertCapabilities(chatContext, messages, undefined);
	const tokens = TOKENS_PER_LABEL * (isMultiLabel ? allLabels.length + 1 : 2);
	const templateTokens = await fetchTemplateTokens(server, settings);
	const query = { server, serverType, settings, options, templateTokens };
	const { completion, usage, warnings } = await requestLabels(query, { messages, tokens });
	return {
		...toResult(completion, request, options),
		usage,
		model: completion.model,
		server: getProfile(server).getRecognizedName(),
		warnings: [
			...getIgnoredOptionWarnings(settings.sampling, serverType),
			...getContextWarnings(serverType, server, settings),
			...warnings,
			...getOnlyModelWarnings(server, { requested: settings.model, reported: completion.model }),
		],
	};
}

const PLAIN = { thinkingHistory: 'never', showThinking: false } as const;

/** Enough for a character, its quotes and the end token. */
const TOKENS_PER_LABEL = 3;

/** What all requests for a text have in common. */
interface LabelQuery {
	server: ModelServer;
	serverType: ServerType;
	settings: ClassifySettings;
	/** The labels, and the label for none of them. */
	options: LabelSet;
	/** Tokens in the chat template of the model. */
	templateTokens: readonly string[];
}

/** What came back for a text. */
interface LabelResponse {
	/** The last one. */
	completion: LabelCompletion;
	/** Of all requests. */
	usage: Usage | undefined;
	warnings: string[];
}

/** Sends the draft, and once more if no label was found. */
async function requestLabels(
	{ server, serverType, settings, options, templateTokens }: LabelQuery,
	draft: LabelDraft,
): Promise<LabelResponse> {
	const { model, sampling } = settings;
	const context = { model, sampling, serverType, options, templateTokens };
	const result = await runTask(server, settings, {
		task: 'classify',
		arePropsRequested: true,
		routes: getRoutes(serverType, 'chat'),
		fields: CLASSIFY_FIELDS,
		draft,
		toBody: (route, sent) => buildLabelBody(route, sent, context),
		extraBody: sampling.extraBody,
		operation: 'chat',
		adaptations: {
			field: [changeThinking],
			format: [omitConstraints(sampling.maxTokens === undefined ? FREE_TOKENS : 0)],
			strictForm: [enforceStrictRoles],
		},
		isIdempotent: true,
		readResponse: async (response) => await readLabelCompletion(response, options),
		correct: (completion, sent) => correctDraft(completion, sent, context),
		getFacts: (error) => ({
			media: () => findSentMedia(draft.messages),
			isAboutMedia: () => isAboutMedia(error, draft.messages) || undefined,
			promptSource: () => 'text',
		}),
		getUsage: ({ usage }) => usage ?? {},
	});
	const { messages, first } = result.draft;
	const completion = result.value;
	const truncationWarnings = await collectTruncationWarnings(server, {
		texts: messages.map(({ content }) => getText(content)),
		// Images count too, but not as text.
		processedTokens: messages.some(hasMedia) ? undefined : completion.usage?.promptTokens,
		model,
	});
	return {
		completion,
		usage: addUsage(first?.usage, completion.usage),
		warnings: truncationWarnings.length > 0 ? truncationWarnings : result.warnings,
	};
}

function toResult(
	{ text, labels: textLabels, logprobs }: LabelCompletion,
	{ labels: { length: count }, isMultiLabel, allowNone }: ClassifyRequest,
	options: LabelSet,
): LabelResult {
	// The text names no label.
	if (!textLabels) return { labels: [], unmatchedText: text.trim() };
	const scoreLists = options.computeScores(logprobs, text, textLabels);
	const labels = textLabels.filter((at) => at < count);
	if (!scoreLists) return { labels };
	const used = isMultiLabel ? scoreLists : scoreLists.slice(0, 1);
	// With several labels, each gets its highest probability over all tokens.
	const allScores = options.keys.map((_key, at) => maxOf(used.map((list) => list[at] ?? 0)));
	const scores = allScores.slice(0, count);
	const noneScore = allowNone ? allScores[count] : undefined;
	const minScore = minOf(labels.map((at) => scores[at]!));
	return {
		labels: isMultiLabel ? labels.sort((a, b) => scores[b]! - scores[a]!) : labels,
		scores,
		noneScore,
		confidence: labels.length === 0 ? noneScore : minScore,
	};
}

/** Label for none of the others, with a unique name. */
function createNoneLabel(labels: readonly Label[]): Label {
	const isTaken = labels.some(({ name }) => lower(name) === 'none');
	return { name: isTaken ? 'none of these' : 'none', description: 'None of the others fits' };
}

/** @throws a `ServerError` of type `invalidInput`. */
function assertLabels(labels: readonly Label[], max: number) {
	const issue = findLabelIssue(labels, max);
	if (issue !== undefined) throw createInputError(issue, 'Correct the labels in the node.');
}

function findLabelIssue(labels: readonly Label[], max: number) {
	const names = labels.map(({ name }) => lower(name));
	if (labels.length === 0) return 'The list of labels is empty';
	if (labels.length > max) return `There are ${labels.length} labels (maximum ${max})`;
	if (names.includes('')) return 'A label has no name';
	const index = names.findIndex((name, at) => names.indexOf(name) < at);
	if (index < 0) return undefined;
	return `The label "${labels[index]!.name}" is duplicated (case and spaces are ignored)`;
}

/** From this probability, a text has a label, if it may have several. */
const THRESHOLD = 0.5;

/**
 * Classifies with a decision model: a choice between the labels, or a question about each of them.
 *
 * @param noneLabel a label for none of the others, if that is allowed for a text with one label
 * @throws {ServerError}
 */
async function classifyByDecision(
	server: ModelServer,
	settings: ClassifySettings,
	{ request, noneLabel }: { request: ClassifyRequest; noneLabel: Label | undefined },
): Promise<Classification> {
	const { input, labels, isMultiLabel } = request;
	const allLabels = noneLabel ? [...labels, noneLabel] : labels;
	const { answers, ...decision } = await decide(server, settings, {
		state: input.content.map(({ block }) => toText(block)).join('\n'),
		stateOrigin: input.content.some(({ origin }) => origin !== 'author') ? 'user' : 'author',
		files: input.files ?? [],
		questions: isMultiLabel
			? labels.map((label) => toLabelQuestion(label, request))
			: [toChoice(allLabels, request)],
		questionOrigin: getQuestionOrigin(request),
		extraBody: settings.sampling.extraBody ?? {},
		promptSource: 'text',
	});
	return {
		...decision,
		...(isMultiLabel ? toLabels(answers, request) : toLabel(answers, labels.length)),
	};
}

/** Who wrote the questions, which are made of labels and instructions. */
function getQuestionOrigin({ labelOrigin, instructions }: ClassifyRequest): Origin {
	return instructions.text.trim() === '' || instructions.origin === labelOrigin
		? labelOrigin
		: 'user';
}

function toChoice(options: readonly Label[], { instructions }: ClassifyRequest): Question {
	const question = 'Which of these categories does the text belong to?';
	const parts = [question, instructions.text.trim()].filter((part) => part !== '');
	return { type: 'choice', name: 'category', instructions: parts.join('\n'), options };
}

function toLabelQuestion(
	{ name, description = '' }: Label,
	{ instructions }: ClassifyRequest,
): Question {
	const question = `Does the text belong to the category "${name}"?`;
	const parts = [question, description, instructions.text].map((part) => part.trim());
	return { type: 'yesNo', name, instructions: parts.filter((part) => part !== '').join('\n') };
}

function toLabel([answer]: readonly Answer[], count: number): LabelResult {
	if (answer?.type !== 'choice') return { labels: [] };
	const { choice, probabilities } = answer;
	return {
		labels: choice < count ? [choice] : [],
		scores: probabilities?.slice(0, count),
		noneScore: probabilities?.[count],
		confidence: probabilities?.[choice],
	};
}

function toLabels(answers: readonly Answer[], { allowNone }: ClassifyRequest): LabelResult {
	const scores = answers.map((answer) => (answer.type === 'yesNo' ? answer.probability : 0));
	const byScore = scores.map((_score, at) => at).toSorted((a, b) => scores[b]! - scores[a]!);
	const likely = byScore.filter((at) => scores[at]! >= THRESHOLD);
	const labels = likely.length > 0 || allowNone ? likely : byScore.slice(0, 1);
	const noneScore = allowNone ? 1 - scores[byScore[0]!]! : undefined;
	return { labels, scores, noneScore, confidence: scores[labels.at(-1) ?? -1] ?? noneScore };
}
