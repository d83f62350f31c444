/**
 * The oldest n8n this package supports: the first one with `@n8n/ai-node-sdk`. README and CONTRIBUTING repeat it, and
 * a test compares them.
 */
export const OLDEST_N8N = '2.20.0';

/** The error text for an n8n that is too old, or too new for this package. */
export function describeUnsupportedN8n(reason: string): string {
	return `n8n-nodes-local-llama needs n8n ${OLDEST_N8N} or newer: ${reason}. Update n8n, or if it is newer than this package, update the package.`;
}
