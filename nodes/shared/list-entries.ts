import type { INodeListSearchResult } from 'n8n-workflow';

import { optional, plainText, ZERO_WIDTH_SPACE } from '../../lib/values';

type Entries = INodeListSearchResult['results'];

/** Whether n8n would take a value for an expression and run it. */
export function isExpression(value: unknown): boolean {
	return typeof value === 'string' && value.startsWith('=');
}

/** A name that comes from a server, as text: n8n stores names among the parameters, and would run an expression there. */
export function plainName(name: string): string {
	const text = plainText(name);
	return isExpression(text) ? ZERO_WIDTH_SPACE + text : text;
}

/** The entries of a list in the editor, which come from a server: names are text, and values no expressions. */
export function listEntries(entries: Entries): Entries {
	return entries
		.filter(({ value }) => !isExpression(value))
		.map(({ name, description, ...entry }) => ({
			...entry,
			name: plainName(name),
			...optional({ description: description && plainText(description) }),
		}));
}
