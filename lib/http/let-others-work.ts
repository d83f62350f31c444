import { setImmediate } from '../vendor';

/** Lets n8n do its other work between two steps that may be long. */
export async function letOthersWork(): Promise<void> {
	await new Promise<void>((resolve) => setImmediate(resolve));
}
