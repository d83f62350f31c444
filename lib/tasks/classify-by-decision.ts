/** Classifies with a decision model: a choice between the labels, or a question about each of them. */
import type { ModelServer } from '../servers/types/server-type';
import { toText } from '../values/text';
import type { Answer } from './answers';
import type {
	Classification,
	ClassifyRequest,
	ClassifySettings,
	LabelResult,
} from './classify-request';
import { decide } from './decide';
import type { Label } from './labels';
import type { Question } from './questions';

/** From this probability, a text has a label, if it may have several. */
const THRESHOLD = 0.5;

/**
 * @param noneLabel a label for none of the others, if that is allowed for a text with one label
 * @throws {ServerError}
 */
export async function classifyByDecision(
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
		extraBody: settings.sampling.extraBody ?? {},
	});
	return {
		...decision,
		...(isMultiLabel ? toLabels(answers, request) : toLabel(answers, labels.length)),
	};
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
