import { createHash } from 'node:crypto';

import { markup, raw, type Html } from './html';
import { isRecord, quietly, shortened } from '../../values';
import { nameOfServer } from '../server-name';
export type { FullCheck } from './sections';
import {
	badge,
	findingsSection,
	modelsSection,
	overviewSection,
	type FullCheck,
	type Budget,
	type SectionOptions,
	formatTime,
} from './sections';
import { speedSection } from './speed-section';
import { tableOf } from './table';
import { STYLE } from './style';
import { toolsSection } from './tools';

interface PageOptions {
	title: string;
	/** For times; where the system does not know it, UTC. */
	timeZone?: string;
}

/** Bytes. Some mail readers cut a message after 100 kB. */
export const MAX_BYTES = 95_000;

/** Tried one after another until the page fits. */
const BUDGETS: readonly Budget[] = [
	{ findings: 40, models: 60, characters: 600, servers: 12 },
	{ findings: 20, models: 30, characters: 300, servers: 8 },
	{ findings: 10, models: 10, characters: 200, servers: 4 },
	{ findings: 5, models: 5, characters: 120, servers: 2 },
	{ findings: 2, models: 2, characters: 60, servers: 1 },
];

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
/** Nothing is loaded, run or sent: only the page's own style is allowed. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

/** The result of a check or speed test as one HTML file of less than 100 kB that needs nothing else. */
export function writeReport(checked: FullCheck, options: PageOptions): string {
	const result = withShortTexts(checked) as FullCheck;
	const timeZone = knownZone(options.timeZone);
	for (const room of BUDGETS) {
		const page = compact(pageOf(result, { ...options, timeZone }, room));
		if (Buffer.byteLength(page) <= MAX_BYTES) return page;
	}
	const least = { ...result, findings: [], models: [], servers: undefined };
	return compact(pageOf(least, { ...options, timeZone }, BUDGETS.at(-1)!));
}

/** Servers choose most texts, such as the names of their models. */
function withShortTexts(value: unknown): unknown {
	if (typeof value === 'string') return shortened(value, BUDGETS[0]!.characters);
	if (Array.isArray(value)) return value.map(withShortTexts);
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, inner]) => [name, withShortTexts(inner)]),
	);
}

/** Without the indentation of the templates. */
function compact({ text }: Html): string {
	return text.replace(/\n\s+/g, '\n');
}

function pageOf(result: FullCheck, { title, timeZone }: PageOptions, room: Budget): Html {
	const servers = (result.servers ?? []) as FullCheck[];
	const isAlone = servers.length === 0;
	const options: SectionOptions = { room };
	const name = shortened(title, 200);
	// Prettier must leave the template as it is: a blank inside <style> would change its hash.
	return markup`${raw('<!doctype html>')}
<html lang="en"><head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${name}</title>
<style>${raw(STYLE)}</style>
</head><body><main>
<header><h1>${name}</h1>
<p class="soft">${formatTime(Date.parse(result.checkedAt), timeZone)} ${timeZone ?? 'UTC'} ${!isAlone && badge(result)}</p></header>
${isAlone ? serverSection(result, options) : severalSections(result, servers, options)}
</main></body></html>
`;
}

function severalSections(
	result: FullCheck,
	servers: readonly FullCheck[],
	options: SectionOptions,
): Html {
	const { room } = options;
	const whole = servers.slice(0, room.servers);
	return markup`<section class="keep">
			<h2>${servers.length} servers</h2>
			<p>${shortened(result.summary, room.characters)}</p>
			${tableOf(
				['Server', 'State', ['Slots'], ['In use']],
				servers
					.slice(0, MAX_ROWS)
					.map((server) => [
						shortened(server.url ?? 'address that cannot be used', room.characters),
						badge(server),
						server.slots?.total,
						server.slots?.busy,
					]),
			)}
		</section>
		${whole.map((server) => serverSection(server, options))}`;
}

const MAX_ROWS = 100;

function serverSection(result: FullCheck, options: SectionOptions): Html {
	return markup`<section>
		<h2>${nameOfServer(result.server)} ${badge(result)}</h2>
		<p class="soft">${shortened(result.url ?? 'without a usable address', 200)}</p>
		${overviewSection(result, options)} ${findingsSection(result.findings, options)} ${speedSection(result)}
		${toolsSection(result, options)}
		${modelsSection(result.models ?? [], options)}
	</section>`;
}

function knownZone(name: string | undefined): string | undefined {
	if (name === undefined || name === '') return undefined;
	return quietly(
		() => new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone,
	);
}
