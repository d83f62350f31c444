/** The files of docs/monitoring, and the names in their queries. */
import { parse } from 'yaml';

import type { SpanMetric } from '../servers/span-metrics';
import { fs, path, process } from './node';

const FOLDER = path.join(process.cwd(), 'docs', 'monitoring');

export const monitoringFile = (name: string): string =>
	fs.readFileSync(path.join(FOLDER, name), 'utf8');

const read = <T>(name: string) => parse(monitoringFile(name), { merge: true }) as T;

/** The metrics that the collector makes of spans. */
export const spanMetrics = (): SpanMetric[] =>
	read<{ connectors: { signaltometrics: { spans: SpanMetric[] } } }>('collector.yaml').connectors
		.signaltometrics.spans;

export interface Rule {
	alert: string;
	expr: string;
	for: string;
	annotations: { summary: string; remedy: string };
}

export const rules = (): Rule[] =>
	read<{ groups: Array<{ rules: Rule[] }> }>('rules.yaml').groups.flatMap((group) => group.rules);

export interface Panel {
	title: string;
	type: string;
	gridPos: { x: number; y: number; w: number; h: number };
	targets: Array<{ refId: string; expr: string; legendFormat: string }>;
}

export const panels = (): Panel[] =>
	(JSON.parse(monitoringFile('dashboard.json')) as { panels: Panel[] }).panels;

/** Every query of the dashboard and of the rules. */
export const queries = (): string[] => [
	...panels().flatMap(({ targets }) => targets.map(({ expr }) => expr)),
	...rules().map(({ expr }) => expr),
];

/** The names of the metrics in a query. */
export const metricsIn = (query: string): string[] => [
	...new Set(query.match(/\b(?:local_llama_\w+(?=[[{])|llamacpp:\w+|n8n_\w+|up(?={))/g)),
];
