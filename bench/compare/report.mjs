/** The text of bench/results/compare.md. */
import { CONTESTANTS, NAMES } from './contestants.mjs';

/** @typedef {import('./types').Cell} Cell */
/** @typedef {import('./types').ContestantName} ContestantName */
/** @typedef {import('./types').Situation} Situation */

/** @param {string[]} cells */
const tableRow = (cells) => `| ${cells.join(' | ')} |`;

/** @param {string} text */
const escaped = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/**
 * @param {Situation} situation
 * @param {ContestantName} name
 * @param {Cell | undefined} cell
 */
const cellText = (situation, name, cell) => {
	if (!cell) return `– ${situation.without?.[name] ?? ''}`.trim();
	return [`**${cell.right ? 'yes' : 'no'}**`, ...cell.says.map(escaped)].join('<br>');
};

/**
 * @param {Array<{ situation: Situation, cells: Map<ContestantName, Cell> }>} rows
 * @param {{ n8n: string, node: string, seconds: number, date: Date }} facts
 */
export const markdown = (rows, { n8n, node, seconds, date }) => {
	const counts = NAMES.map((name) => {
		const measured = rows.filter(({ cells }) => cells.has(name));
		return `${measured.filter(({ cells }) => cells.get(name)?.right).length} of ${measured.length}`;
	});
	return [
		"# Compared with n8n's own chat models",
		'',
		`Written by \`npm run bench -- compare\` on ${date.toISOString().slice(0, 10)}, in ${Math.round(seconds / 60)} minutes: n8n ${n8n}, Node ${node}, llama-server v0.5.0, the newest version of each node`,
		`(${[...new Set(NAMES.map((name) => `${CONTESTANTS[name].type.split('.')[1]} ${CONTESTANTS[name].typeVersion}`))].join(', ')}). Every cell is one run, times to Stop are the median of three.`,
		'',
		"The same workflow each time: Chat Trigger 1.5 that streams (or a Manual Trigger, where it says so), AI Agent 3.1 (for JSON schemas: Basic LLM Chain 1.9), the model, n8n's Calculator. Nodes are as",
		'they are when they are added, but for the name of the model, the token limit where a situation needs one, and the switch named in the heading. Base URL: what each node asks for.',
		'',
		'The answers come from the real llama-server with a generated model that says given texts. A tap before it counts requests and provokes what a situation needs: it holds, cuts or refuses. Tool calls without',
		"valid JSON and interleaved ones are written by the tap, as llama-server makes none. The Ollama Chat Model gets llama-server's answers in Ollama's own protocol: its column is about the node, not about Ollama.",
		'',
		'The situations are what users of local models report as trouble with chat models, so the sum says how much of that trouble is left, not which node is better in general.',
		'',
		'"Yes" where the user gets what stands under "wanted", "no" where not, then what came out: what was typed into the chat, the error in the execution (long ones cut), POST requests that reached the server, and',
		'the time of the execution.',
		'',
		tableRow(['Situation', 'Wanted', ...NAMES.map((name) => CONTESTANTS[name].label)]),
		tableRow(['---', '---', ...NAMES.map(() => '---')]),
		...rows.map(({ situation, cells }) =>
			tableRow([
				situation.title,
				situation.wanted,
				...NAMES.map((name) => cellText(situation, name, cells.get(name))),
			]),
		),
		tableRow(['**Sum of "yes"**', '', ...counts]),
		'',
	].join('\n');
};
