/** The part of a report about earlier results. */
import { inSeconds } from '../numbers';
import { durationInWords } from '../watch';
import { drawChart } from './chart';
import type { HistoryEntry } from './history';
import { markup, type Html } from './html';
import { formatTime, type SectionOptions } from './sections';

/** What is plotted over time; a plot of one point shows nothing. */
const PLOTS: ReadonlyArray<{
	title: string;
	unit: string;
	valueOf(entry: HistoryEntry): number | null;
}> = [
	{
		title: 'One answer alone, tokens per second',
		unit: 'tokens per second',
		valueOf: (entry) => entry.tokensPerSecond,
	},
	{
		title: 'All requests together at most, tokens per second',
		unit: 'tokens per second',
		valueOf: (entry) => entry.totalTokensPerSecond,
	},
	{
		title: 'First token of one request, in seconds',
		unit: 'seconds',
		valueOf: (entry) => inSeconds(entry.firstTokenMs),
	},
	{
		title: 'Answer to a simple question, in milliseconds',
		unit: 'milliseconds',
		valueOf: (entry) => entry.latencyMs,
	},
];

export function historySection({ history, room, timeZone }: SectionOptions): Html | undefined {
	const entries = history.slice(-room.history);
	if (entries.length < 2) return undefined;
	const plots = PLOTS.map(({ title, unit, valueOf }) => {
		const points = entries
			.map((entry) => ({ x: Date.parse(entry.checkedAt), y: valueOf(entry) }))
			.filter(({ y }) => y !== null);
		return (
			points.length > 1 &&
			drawChart({
				title: `${title}, over time`,
				unit,
				points,
				xTitle: `time (${timeZone ?? 'UTC'})`,
				scale: 'time',
				timeZone,
			})
		);
	});
	return markup`<h3>History</h3>
		<p class="soft">${historyInWords(entries, timeZone)}.</p>
		${plots}`;
}

function historyInWords(entries: readonly HistoryEntry[], timeZone: string | undefined): string {
	const times = entries.map(({ checkedAt }) => Date.parse(checkedAt));
	const [from, to] = [times[0]!, times.at(-1)!];
	const healthy = entries.filter(({ status }) => status === 'healthy').length;
	const percent = Math.floor((healthy / entries.length) * 100);
	return `${entries.length} results in ${durationInWords(Math.round((to - from) / 1000))} since ${formatTime(from, timeZone)}; ${percent}% of them healthy`;
}
