/**
 * The oldest n8n this package supports, said in this one place: the first one that brings `@n8n/ai-node-sdk`.
 * README and CONTRIBUTING repeat it; a test compares them.
 */
export const OLDEST_N8N = '2.20.0';

/** A sentence for someone whose n8n is too old, or changed in a way this package does not know. */
export function unsupportedN8n(reason: string): string {
	return `n8n-nodes-local-llama needs n8n ${OLDEST_N8N} or newer: ${reason}. Update n8n, or if it is newer than this package, update the package.`;
}
