import type { INodeListSearchResult } from 'n8n-workflow';

import { plainText } from '../../lib/plain-text';
import { optional } from '../../lib/values';

type Entries = INodeListSearchResult['results'];

/** Whether n8n would take a chosen value for an expression and run it. */
export function isExpression(value: unknown): boolean {
	return typeof value === 'string' && value.startsWith('=');
}

/** The entries of a list in the editor, which come from a server: names are text, and values no expressions. */
export function listEntries(entries: Entries): Entries {
	return entries
		.filter(({ value }) => !isExpression(value))
		.map(({ name, description, ...entry }) => ({
			...entry,
			name: plainText(name),
			...optional({ description: description && plainText(description) }),
		}));
}
