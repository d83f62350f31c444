import { durationInWords } from '../watch';
import { markup, type Html } from './escape';
import type { HistoryEntry } from './history';

const WIDTH = 640;
const HEIGHT = 14;

/** How the state of a server changed: a bar over time, and the same in words. */
export function historyStrip(entries: readonly HistoryEntry[], timeZone: string | undefined): Html {
	const times = entries.map(({ checkedAt }) => Date.parse(checkedAt));
	const [from, to] = [times[0]!, times.at(-1)!];
	const xOf = (time: number) => Math.round(((time - from) / Math.max(1, to - from)) * WIDTH * 10) / 10;
	const parts: Array<{ status: string; from: number; to: number }> = [];
	for (const [at, { status }] of entries.entries()) {
		const last = parts.at(-1);
		if (last?.status === status) last.to = times[at + 1] ?? times[at]!;
		else parts.push({ status, from: times[at]!, to: times[at + 1] ?? times[at]! });
	}
	const healthy = entries.filter(({ status }) => status === 'healthy').length;
	const percent = Math.floor((healthy / entries.length) * 100);
	const words = `${entries.length} results in ${durationInWords(Math.round((to - from) / 1000))} since ${written(from, timeZone)}; ${percent}% of them healthy`;
	return markup`<p class="soft">${words}.</p>
		<svg class="strip" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${words}">
			${parts.map(
				(part) =>
					markup`<rect
						class="${part.status}"
						x="${xOf(part.from)}"
						width="${Math.max(2, Math.round((xOf(part.to) - xOf(part.from)) * 10) / 10)}"
						height="${HEIGHT}"
						><title>${part.status} since ${written(part.from, timeZone)}</title></rect
					>`,
			)}
		</svg>`;
}

/** "21 Nov 2026, 14:05" */
export function written(time: number, timeZone: string | undefined): string {
	return new Intl.DateTimeFormat('en-GB', {
		timeZone: timeZone ?? 'UTC',
		day: 'numeric',
		month: 'short',
		year: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
	}).format(time);
}
