import { storeFile } from '../../../nodes/shared/store-file';
import { delay } from '../../support/node';
import type { OperationCall } from '../../../nodes/shared/run/operations';

/** A call whose n8n fails to store after it has read so many pieces. */
function callOnFullDisk(read: number) {
	const error = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
	const prepareBinaryData = async (source: AsyncIterable<Uint8Array>) => {
		const pieces = source[Symbol.asyncIterator]();
		for (let count = 0; count < read; count++) await pieces.next();
		throw error;
	};
	return {
		error,
		call: {
			context: { helpers: { prepareBinaryData } },
			parameters: { name: () => 'data' },
		} as unknown as OperationCall,
	};
}

it.each([0, 1, 2, 5])(
	'a full disk after %d pieces closes what the file comes from',
	async (read) => {
		let isClosed = false;
		async function* endless() {
			try {
				for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
			} finally {
				isClosed = true;
			}
		}
		const { call, error } = callOnFullDisk(read);
		const file = { content: endless(), fileName: 'a.wav', mimeType: 'audio/wav' };
		await expect(storeFile(call, 'options.output', file)).rejects.toBe(error);
		await delay(10);
		expect(isClosed).toBe(true);
	},
);
