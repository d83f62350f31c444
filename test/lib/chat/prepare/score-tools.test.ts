/** How well tools match questions: by words that few tools share, and that were asked for last. */
import path from 'node:path';
import { scoreTools } from '../../../../lib/chat/prepare/score-tools';
import type { ToolDefinition } from '../../../../lib/chat/tool-definition';
import { expectApproved } from '../../../support/approved/approved-table';

const TOOLS = [
	{ name: 'getWeather', description: 'Forecasts for a city' },
	{ name: 'list_orders', description: 'Orders of a customer' },
	{ name: 'cancel-order', description: 'Cancels an order of a customer' },
	{ name: '天气', description: '天气预报' },
	{ name: 'to_do' },
] as ToolDefinition[];

const QUESTIONS = [
	[],
	['Hello'],
	['What is the weather?'],
	['WEATHER forecast for my city'],
	['Cancel my order', 'What is the weather?'],
	['What is the weather?', 'Cancel my order'],
	['ok', 'yes', 'order'],
	['orders of the customer, orders'],
	['to do'],
	['do'],
	['明天天气怎么样'],
	['get_weather.now'],
];

test('each question has its scores', () => {
	const rows = QUESTIONS.map((questions) => ({
		input: JSON.stringify(questions),
		outcome: scoreTools(questions, TOOLS).map((score) => Number(score.toFixed(3))),
	}));
	expectApproved(
		path.join(__dirname, 'score-tools.approved.txt'),
		rows,
		'A tool is chosen for words of the question that few tools share',
	);
});

test.each([
	{ tools: 1, at: 1_995 - 't0 '.length, isFound: true },
	{ tools: 1, at: 1_996 - 't0 '.length, isFound: false },
	{ tools: 1_000, at: 195 - 't0 '.length, isFound: true },
	{ tools: 1_000, at: 196 - 't0 '.length, isFound: false },
	{ tools: 5_000, at: 95 - 't0 '.length, isFound: true },
	{ tools: 5_000, at: 96 - 't0 '.length, isFound: false },
])('of $tools tools, a word at $at of a description counts: $isFound', ({ tools, at, isFound }) => {
	const description = `${' '.repeat(at)}order`;
	const rest = Array.from({ length: tools - 1 }, () => ({ name: 'x' }) as ToolDefinition);
	const [score] = scoreTools(['order'], [{ name: 't0', description } as ToolDefinition, ...rest]);
	expect(score).toBe(isFound ? 1 : 0);
});
