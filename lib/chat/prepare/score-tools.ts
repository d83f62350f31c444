/** How well tools match questions, by shared words. */
import type { ToolDefinition } from '../tool-definition';

/**
 * Scores tools. A word counts more if fewer tools contain it. Its weight is halved for each question asked after its last
 * occurrence.
 *
 * @param questions the newest first
 * @returns the score of each tool, in their order; 0 if no word is shared
 */
export function scoreTools(
	questions: readonly string[],
	tools: readonly ToolDefinition[],
): number[] {
	const questionStems = questions.map(toWordStems);
	const maxLength = getMaxDescriptionLength(tools.length);
	const toolStems = tools.map(({ name, description = '' }) =>
		toWordStems(`${name} ${description}`.slice(0, maxLength)),
	);
	const toolCounts = new Map<string, number>();
	for (const stem of toolStems.flatMap((stems) => [...stems]))
		toolCounts.set(stem, (toolCounts.get(stem) ?? 0) + 1);
	const getWeight = (stem: string) => {
		const age = questionStems.findIndex((stems) => stems.has(stem));
		return age < 0 ? 0 : 1 / 2 ** age / toolCounts.get(stem)!;
	};
	return toolStems.map((stems) => [...stems].reduce((sum, stem) => sum + getWeight(stem), 0));
}

/** Characters of all names and descriptions together: finding their words takes about 50 ms. */
const MAX_TOOL_TEXT = 200_000;
/** Characters of each: the first sentences say what a tool is for. */
const MIN_DESCRIPTION = 100;
const MAX_DESCRIPTION = 2_000;

function getMaxDescriptionLength(toolCount: number): number {
	return Math.max(MIN_DESCRIPTION, Math.min(MAX_DESCRIPTION, MAX_TOOL_TEXT / toolCount));
}

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

/** The first letters of a word represent all its forms: order, orders, ordered. */
const STEM_LENGTH = 5;

function toWordStems(source: string) {
	// `getWeather_now` as "get Weather now".
	const plain = source.replaceAll(/[_.-]+/g, ' ').replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
	const segments = [...segmenter.segment(plain)].filter(({ isWordLike }) => isWordLike);
	const stems = segments.map(({ segment }) => segment.toLowerCase().slice(0, STEM_LENGTH));
	// Latin words of one or two letters carry no meaning.
	return new Set(stems.filter((stem) => !/^[a-z]{1,2}$/.test(stem)));
}
