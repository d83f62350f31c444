/** Models of a real Ollama. */
import { createRequire } from 'node:module';
import process from 'node:process';

const { createHash } = createRequire(`${process.cwd()}/package.json`)(
	'node:crypto',
) as typeof import('crypto');

/**
 * `ollama create`.
 *
 * @param bytes - Of a GGUF
 * @param more - Fields of the request, such as parameters
 */
export async function createOllamaModel(
	url: string,
	model: string,
	bytes: Buffer,
	more: object = {},
): Promise<void> {
	const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
	const stored = await fetch(`${url}/api/blobs/${digest}`, {
		method: 'POST',
		body: new Uint8Array(bytes),
	});
	if (!stored.ok) throw new Error(await stored.text());
	const body = JSON.stringify({ model, files: { 'model.gguf': digest }, stream: false, ...more });
	const made = await fetch(`${url}/api/create`, { method: 'POST', body });
	if (!made.ok) throw new Error(await made.text());
}
