/**
 * A document of any state that is replaced: it is made available first, one request after the other has ended. Dify creates a
 * second one beside a document that is disabled or archived when the text arrives.
 */
import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import type { DifyClient } from '../../../../lib/dify/client';
import { writeDocument } from '../../../../lib/dify/knowledge/write-document';

const DATASET = 'd0c5e7a1-7a40-4b0c-9d1e-5b2f8a6c7d90';
const DOCUMENT = '3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';

/** A Dify that writes down when each request begins and ends. */
function createSlowDify() {
	const log: string[] = [];
	const send = async (_method: string, path: string): Promise<object> => {
		const name = path.split('/').at(-1)!;
		log.push(`${name} begins`);
		await setImmediate();
		log.push(`${name} ends`);
		return { document: { id: DOCUMENT }, batch: 'b' };
	};
	const client = {
		getCached: async () => await Promise.resolve({}),
		requestJson: send,
		sendJson: send,
		upload: async (path: string) => await send('POST', path),
	} as unknown as DifyClient;
	return { client, log };
}

test('any state', async () => {
	const state = fc.record({ archived: fc.boolean(), enabled: fc.boolean() }, { requiredKeys: [] });
	const cases = fc.record({ state: fc.option(state, { nil: undefined }), isFile: fc.boolean() });
	await fc.assert(
		fc.asyncProperty(cases, async ({ state: known, isFile }) => {
			const { client, log } = createSlowDify();
			const content = isFile
				? { type: 'file' as const, file: { name: 'a.txt' } as never }
				: { type: 'text' as const, name: 'a', text: 'b' };
			const existing = known && { id: DOCUMENT, ...known };
			const written = await writeDocument(client, {
				datasetId: DATASET,
				content,
				existing,
				options: {} as never,
			});
			const requests = [
				...(known?.archived === true ? ['un_archive'] : []),
				...(known?.enabled === false ? ['enable'] : []),
				isFile ? 'create-by-file' : 'create-by-text',
			];
			expect(log).toEqual(requests.flatMap((name) => [`${name} begins`, `${name} ends`]));
			expect(written.action).toBe(existing === undefined ? 'created' : 'updated');
		}),
	);
});
