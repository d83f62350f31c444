/** `/v1/systemone` of a decision model (docs/protocols/llama-server-new.md 8): its checks, and made-up probabilities. */
import { invalidRequest, notFound, notSupported } from './errors';
import type { Json } from './chat';
import type { Settings } from './options';

const MEDIA_URL = /^data:(?:image|audio)\/[^;]+;base64,/;

const isObject = (value: unknown): value is Json =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same text always gets the same weight, from 1 to 10. */
const weightOf = (text: string): number =>
	1 + ([...text].reduce((sum, character) => sum + character.codePointAt(0)!, 0) % 10);

const shares = (texts: string[]): number[] => {
	const weights = texts.map(weightOf);
	const sum = weights.reduce((total, weight) => total + weight, 0);
	return weights.map((weight) => weight / sum);
};

const choice = (state: string, criteria: unknown, most: number): object => {
	if (!isObject(criteria) || Object.keys(criteria).length === 0)
		throw invalidRequest('"criteria" must be a non-empty object');
	const keys = Object.keys(criteria);
	if (keys.length > most)
		throw invalidRequest(`too many options (${keys.length}), this model supports at most ${most}`);
	const probabilities = shares(keys.map((key) => state + key));
	const best = Math.max(...probabilities);
	return {
		type: 'choice',
		choice: keys[probabilities.indexOf(best)],
		probabilities: Object.fromEntries(keys.map((key, at) => [key, probabilities[at]])),
		confidence: keys.length === 1 ? 1 : (best - 1 / keys.length) / (1 - 1 / keys.length),
	};
};

const score = (state: string, criteria: unknown): object => {
	if (!Array.isArray(criteria) || criteria.length < 2 || criteria.length > 10)
		throw invalidRequest('"criteria" must be an array of 2 to 10 levels');
	const levels = criteria.map(String);
	const probabilities = shares(levels.map((level) => state + level));
	const byLevel = (values: unknown[]) => Object.fromEntries(values.map((value, at) => [at, value]));
	return {
		type: 'score',
		score: probabilities.reduce((sum, one, level) => sum + one * level, 0),
		legend: byLevel(levels),
		probabilities: byLevel(probabilities),
		confidence: 0.5,
	};
};

const answer = (state: string, question: unknown, most: number): object => {
	const { type, instructions, criteria } = isObject(question) ? question : {};
	if (type !== 'choice' && type !== 'score' && type !== 'noul')
		throw invalidRequest('"type" must be one of: choice, score, noul');
	if (instructions === undefined) throw invalidRequest('"instructions" must be provided');
	if (type === 'choice') return choice(state, criteria, most);
	if (type === 'score') return score(state, criteria);
	return { type, noul: shares([`${state}true`, `${state}false`])[0] };
};

/** The error of the real server names the question. */
const answerNamed = (id: string, state: string, question: unknown, most: number): object => {
	try {
		return answer(state, question, most);
	} catch (error) {
		const { message } = (JSON.parse((error as Error).message) as { error: { message: string } })
			.error;
		throw invalidRequest(`questions.${id}: ${message}`);
	}
};

export const decisions = (body: Json, settings: Settings): object => {
	const { profile, decisions: most, alias, vision } = settings;
	if (profile === 'old-llama-server') throw notFound();
	if (most === 0) throw notSupported('This model is not a decision model');
	const { state, questions, images = [] } = body;
	if (state === undefined) throw invalidRequest('"state" must be provided');
	if (!isObject(questions) || Object.keys(questions).length === 0)
		throw invalidRequest('"questions" must be a non-empty object');
	const media = images as string[];
	if (!media.every((url) => MEDIA_URL.test(url)))
		throw invalidRequest(
			'images must be data URLs (data:image/...;base64,... or data:audio/...;base64,...)',
		);
	if (media.length > 0 && !vision)
		throw notSupported(
			'This server does not support image input for decisions. For a model that supports it, start it with `--mmproj`',
		);
	const text = typeof state === 'string' ? state : JSON.stringify(state);
	const answers = Object.entries(questions).map(([id, question]) => [
		id,
		answerNamed(id, text, question, most),
	]);
	return {
		model: alias,
		answers: Object.fromEntries(answers) as object,
		usage: { input_tokens: [...text].length * answers.length, output_tokens: 0 },
	};
};
