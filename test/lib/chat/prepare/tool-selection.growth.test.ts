/** Selecting tools takes a time that grows with their number, not with its square, and a description counts in part. */
import { selectTools } from '../../../../lib/chat/prepare/tool-selection';
import { cpuMilliseconds } from '../../../support/measures/cpu-time';
import { toInput, toTool } from '../../../support/texts/messages';

const MAX_CPU_MS = 800;

/** Words with different beginnings, as a question may have them. */
const WORDS = Array.from({ length: 700 }, (_none, index) => (46_656 + index * 61).toString(36));

/** A description with all words of the question, and others. */
const describeTool = (tool: number, length: number) =>
	`${WORDS.join(' ')} ${Array.from({ length: length / 6 }, (_none, word) => ((tool * 7_919 + word) * 104_729).toString(36)).join(' ')}`.slice(
		0,
		length,
	);

test.each([
	[130, 12_000],
	[260, 12_000],
	[130, 100_000],
	[2_000, 1_000],
	[5_000, 300],
])('%i tools of %i characters', (count, length) => {
	const tools = Array.from({ length: count }, (_none, index) =>
		toTool({ name: `tool_${index}`, description: describeTool(index, length), schema: {} }),
	);
	tools.at(-1)!.description = `Cancels a subscription. ${tools.at(-1)!.description}`;
	const questions = [0, 1, 2, 3].map(
		(at) => `${WORDS.slice(at * 10).join(' ')} cancel my subscription`,
	);
	const messages = questions.map((content) => toInput({ type: 'human', content }));
	let names: string[] = [];
	const select = () => (names = selectTools({ tools, messages }, 10).map(({ name }) => name));
	expect(cpuMilliseconds(() => void select())).toBeLessThan(MAX_CPU_MS);
	expect(names).toHaveLength(10);
	expect(names).toContain(`tool_${count - 1}`);
});
