import type { ChatMessage, ChatParameters } from '../chat/types';
import { withMedia } from '../chat/request/content';
import { withoutControlTokens } from '../chat/request/control-tokens';
import { refuseUnseenMedia } from '../chat/unseen-media';
import { invalidInput } from '../errors/failure';
import type { Connection } from '../http/connection';
import { askServerKind } from '../servers/identify';
import { identifiedKind, type KindName } from '../servers/kinds';
import { modelKey } from '../servers/model-key';
import { requireModel } from '../servers/model-names';
import { type Attempt, type ClientSettings, untilReady } from '../servers/retry';
import { askForLabels, type LabelAnswer, type LabelQuestion } from './label-request';
import { scoresIn } from './label-scores';
import { keysFor, type Label, labelLines, MAX_LABELS } from './labels';
import { labelsIn } from './labels-in-answer';
import type { Classification, ClassifyTask } from './classification';
import { addUsage } from './usage';
import { LruCache } from '../lru-cache';
import { largestOf, optional, shortened, smallestOf } from '../values';

export interface ClassifySettings extends ClientSettings {
	parameters: ChatParameters;
}

/** The label for none of the others, under a name that no other has. */
function labelForNone(labels: readonly Label[]): Label {
	const names = labels.map(({ name }) => name.trim().toLowerCase());
	let name = 'none';
	while (names.includes(name)) name = `${name} of these`;
	return { name, description: 'None of the others fits' };
}

/**
 * Decides which label fits a text. The model writes one character per label, constrained to these characters where the
 * server can, so an answer costs one or two tokens. The confidence comes from the probabilities of these tokens.
 *
 * Asks the model at most twice, and sends once more without constraints where the server refuses them.
 *
 * @throws {ServerError} of kind `invalidInput` for bad labels, or the failure of the request
 */
export async function classify(
	connection: Connection,
	settings: ClassifySettings,
	task: ClassifyTask,
	signal?: AbortSignal,
): Promise<Classification> {
	checkLabels(task.labels, task.mayBeNone);
	requireModel(settings.model);
	const attempt = untilReady(connection, settings);
	return await classifyByLetters(attempt, settings.parameters, task, signal);
}

/** The labels, and the one for none of them where that is allowed. */
function optionsOf({ labels, mayBeNone }: ClassifyTask): Label[] {
	return mayBeNone ? [...labels, labelForNone(labels)] : [...labels];
}

async function classifyByLetters(
	attempt: Attempt,
	parameters: ChatParameters,
	task: ClassifyTask,
	signal: AbortSignal | undefined,
): Promise<Classification> {
	const { connection, model } = attempt;
	const labels = optionsOf(task);
	const kind = await askServerKind(connection, model, { signal });
	await refuseUnseenMedia(attempt, kind, task.media ?? [], signal);
	const conversation = { messages: messagesFor(task, labels) };
	const { messages } = (await withoutControlTokens(conversation)).request;
	const request = { attempt, parameters, kind, labels, several: task.several, signal };
	const first = await askOnce({ ...request, messages, isLong: false });
	const firstLabels = labelsIn(first.text, labels, task.several);
	if (firstLabels !== undefined)
		return { ...resultOf(first, firstLabels, labels, task), ...servedBy(first, kind) };
	// A model that thinks although it should not may have used up its tokens.
	if (first.isCut && parameters.maxTokens !== undefined) return unread(first, kind);
	const second = await askOnce({
		...request,
		messages: first.isCut ? messages : again(messages, first, labels),
		isLong: first.isCut,
	});
	const answer = { ...second, usage: addUsage(first.usage, second.usage) };
	const secondLabels = labelsIn(second.text, labels, task.several);
	if (secondLabels === undefined) return unread(answer, kind);
	return { ...resultOf(answer, secondLabels, labels, task), ...servedBy(answer, kind) };
}

/** Asks with constraints, and without them where the server refuses them. */
async function askOnce(question: Omit<LabelQuestion, 'isConstrained'>): Promise<LabelAnswer> {
	const key = modelKey(question.attempt);
	if (!refusesConstraints.has(key)) {
		const constrained = await askForLabels({ ...question, isConstrained: true });
		if (constrained !== undefined) return constrained;
		refusesConstraints.set(key, true);
	}
	// Without constraints, there are none to refuse.
	return (await askForLabels({ ...question, isConstrained: false }))!;
}

function unread(answer: LabelAnswer, kind: KindName): Classification {
	return { labels: [], unread: answer.text.trim(), ...servedBy(answer, kind) };
}

function servedBy({ usage, model }: LabelAnswer, kind: KindName) {
	return optional({ usage, model, server: identifiedKind(kind) });
}

/** A server that ignores the limit of tokens writes far more than a label, which would not fit into the next prompt. */
const MAX_REPEATED = 500;

/** The question, the beginning of the answer that named no label, and a request to correct it. */
function again(
	messages: ChatMessage[],
	first: LabelAnswer,
	labels: readonly Label[],
): ChatMessage[] {
	const content = `That is no answer. Write one of these letters and nothing else: ${keysFor(labels).join(', ')}`;
	return [
		...messages,
		{ role: 'assistant', content: shortened(first.text, MAX_REPEATED) },
		{ role: 'user', content },
	];
}

/** @throws {ServerError} of kind `invalidInput` for labels that are empty, too many, or equal */
function checkLabels(labels: readonly Label[], mayBeNone: boolean): void {
	const problem = problemOf(labels, mayBeNone ? MAX_LABELS - 1 : MAX_LABELS);
	if (problem !== undefined) throw invalidInput(problem, 'Correct the labels in the node.');
}

function problemOf(labels: readonly Label[], most: number): string | undefined {
	const names = labels.map(({ name }) => name.trim().toLowerCase());
	if (labels.length === 0) return 'There are no labels';
	if (labels.length > most) return `There are ${labels.length} labels, and ${most} are the most`;
	if (names.includes('')) return 'A label has no name';
	return repeated(labels, names);
}

/** @param names of the labels as answers are compared: trimmed, in lower case */
function repeated(labels: readonly Label[], names: readonly string[]): string | undefined {
	const index = names.findIndex((name, at) => names.indexOf(name) < at);
	if (index < 0) return undefined;
	const { name } = labels[index]!;
	const earlier = labels[names.indexOf(names[index]!)]!;
	if (name === earlier.name) return `The label "${name}" is there twice`;
	return `The labels "${earlier.name}" and "${name}" differ in capital letters or spaces alone`;
}

const QUESTION = 'Decide which of these categories the text of the user belongs to.';

/** The part that all texts share comes first, so that the server's prompt cache works. The text comes last. */
function messagesFor(task: ClassifyTask, labels: readonly Label[]): ChatMessage[] {
	const { instructions, several, mayBeNone } = task;
	const system = [
		several ? `${QUESTION} It may be several.` : QUESTION,
		labelLines(labels),
		instructions.trim(),
		several ? formatOfSeveral(labels, mayBeNone) : FORMAT_OF_ONE,
	];
	return [
		{ role: 'system', content: system.filter((line) => line !== '').join('\n') },
		{ role: 'user', content: withMedia(task.text, task.media ?? []) },
	];
}

const FORMAT_OF_ONE = 'Answer with the letter of the category only.';

function formatOfSeveral(labels: readonly Label[], mayBeNone: boolean): string {
	const keys = keysFor(labels);
	const format = `Answer with the letters of the categories only, separated by commas, for example ${keys.slice(0, 2).join(',')}.`;
	return mayBeNone ? `${format} Answer ${keys.at(-1)} if none fits.` : format;
}

/** @param options the labels, and the one for none of them */
function resultOf(
	answer: LabelAnswer,
	answerLabels: readonly number[],
	options: readonly Label[],
	{ labels, several }: ClassifyTask,
): Pick<Classification, 'labels' | 'scores' | 'none' | 'confidence'> {
	const lists = scoresIn(answer.logprobs, keysFor(options), {
		text: answer.text,
		labels: answerLabels,
	});
	const fitting = answerLabels.filter((at) => at < labels.length);
	if (lists === undefined) return { labels: fitting };
	const used = several ? lists : lists.slice(0, 1);
	// With several labels, each gets its highest probability over all tokens.
	const best = (at: number) => largestOf(used.map((list) => list[at] ?? 0));
	const scores = labels.map((_label, at) => best(at));
	const none = used[0]!.length > labels.length ? best(labels.length) : undefined;
	return {
		labels: several ? fitting.sort((one, other) => scores[other]! - scores[one]!) : fitting,
		scores,
		...optional({ none }),
		confidence: fitting.length === 0 ? none : smallestOf(fitting.map((at) => scores[at]!)),
	};
}

/** Servers and models that refused constraints. */
const refusesConstraints = LruCache.shared<true>();
