import { nameOfServer } from '../server-name';
import type { CheckResult, Finding, ModelFacts } from '../observations';
import type { SpeedTestResult } from '../speed/speed-test';
import type { WithToolTest } from '../tools/tool-test';
import { markup, withOptions, type Html } from './html';
import { shortened } from '../../values';
import { type RecordColumn, recordTable } from './table';
import { gigabytes } from '../numbers';

/** A result of any operation, of a model server or Dify. */
export type FullCheck = CheckResult &
	Partial<Pick<SpeedTestResult, 'speed'> & Pick<WithToolTest<object>, 'toolTest'>>;

/** The most that a page shows of each list, and characters of each text. */
export interface Budget {
	findings: number;
	models: number;
	characters: number;
	/** Servers with all their parts; of the others only the state. */
	servers: number;
}

export interface SectionOptions {
	room: Budget;
}

/** The status. Warnings are named even if the server is healthy. */
export function badge({ status, findings }: Pick<CheckResult, 'status' | 'findings'>): Html {
	const count = findings.filter(({ severity }) => severity !== 'info').length;
	if (status !== 'healthy' || count === 0)
		return markup`<span class="badge ${status}">${status}</span>`;
	return markup`<span class="badge warning">healthy, with ${count} warning${count === 1 ? '' : 's'}</span>`;
}

export function overviewSection(result: FullCheck, { room }: SectionOptions): Html {
	const { server, latencyMs, slots, queue, contextPerSlot, app, checkMs } = result;
	const facts: Array<[string, string | null | undefined]> = [
		['Server', nameOfServer(server)],
		['App', app === undefined ? null : [app.name ?? 'without a name', app.mode ?? ''].join(', ')],
		['Answers after', latencyMs === null ? null : `${Math.round(latencyMs)} ms`],
		['Slots', slotsInWords(slots)],
		['Waiting', typeof queue === 'number' ? String(queue) : null],
		['Context per slot', typeof contextPerSlot === 'number' ? `${contextPerSlot} tokens` : null],
		['Check took', `${Math.round(checkMs)} ms`],
	];
	const known = facts.flatMap(([name, value]) => (value ? [{ name, value }] : []));
	return markup`<p>${shortened(result.summary, room.characters)}</p>
		<dl class="facts">
			${known.map(
				({ name, value }) =>
					markup`<div>
						<dt>${name}</dt>
						<dd>${shortened(value, room.characters)}</dd>
					</div>`,
			)}
		</dl>`;
}

function slotsInWords(slots: FullCheck['slots']): string | null {
	if (slots === undefined || (slots.total === null && slots.busy === null)) return null;
	if (slots.busy === null) return String(slots.total);
	return slots.total === null ? `${slots.busy} in use` : `${slots.busy} of ${slots.total} in use`;
}

export function findingsSection(findings: readonly Finding[], { room }: SectionOptions): Html {
	const shown = findings.slice(0, room.findings);
	const cut = (text: string) => shortened(text, room.characters);
	return markup`<h3>Findings</h3>
		${shown.length === 0 && markup`<p class="ok">Nothing was found that needs your attention.</p>`}
		${shown.map(
			({ severity, meaning, advice, observed, id }) =>
				markup`<div class="finding ${severity}">
					<strong>${withOptions(cut(meaning))}.</strong>
					<p>${withOptions(cut(advice))}</p>
					<p class="soft">Seen: ${withOptions(cut(observed))} (${id})</p>
				</div>`,
		)}
		${left(findings.length - shown.length, 'finding')}`;
}

export function modelsSection(
	models: readonly ModelFacts[],
	{ room }: SectionOptions,
): Html | undefined {
	if (models.length === 0) return undefined;
	const shown = models.slice(0, room.models);
	return markup`<h3>Models</h3>
		${recordTable(MODEL_COLUMNS, shown, room.characters)}
		${left(models.length - shown.length, 'model')}`;
}

const MODEL_COLUMNS: ReadonlyArray<RecordColumn<ModelFacts>> = [
	{ title: 'Model', cell: ({ id }) => id },
	{ title: 'State', cell: ({ state }) => shortened(state ?? '', 40) },
	{ title: ['Context'], cell: ({ context }) => context },
	{
		title: ['Parameters'],
		cell: ({ parameters }) => (parameters === null ? '' : billions(parameters)),
	},
	{ title: ['Size'], cell: ({ size }) => (size === null ? '' : `${gigabytes(size)} GB`) },
	{ title: 'Can do', cell: (model) => abilitiesOf(model).join(', '), isOptional: true },
];

function abilitiesOf({ tools, vision, audio, embeddings }: ModelFacts): string[] {
	return Object.entries({ tools, vision, audio, embeddings }).flatMap(([name, can]) =>
		can === true ? [name] : [],
	);
}

/** "21 Nov 2026, 14:05" */
export function formatTime(time: number, timeZone: string | undefined): string {
	return new Intl.DateTimeFormat('en-GB', {
		timeZone: timeZone ?? 'UTC',
		day: 'numeric',
		month: 'short',
		year: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
	}).format(time);
}

function left(count: number, what: string): Html | false {
	return (
		count > 0 && markup`<p class="soft">And ${count} more ${what}${count === 1 ? '' : 's'}.</p>`
	);
}

function billions(count: number): string {
	return count >= 1e9 ? `${Math.round(count / 1e8) / 10} B` : `${Math.round(count / 1e6)} M`;
}
