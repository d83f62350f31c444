import { binaryFile } from '../../support/n8n/binary-file';
import { startApp } from '../../lib/dify/client';
import type { AppSpec, DifySim } from '../../simulators/dify';
import { executeNode } from '../dify';
import type { Setup } from '../dify';
import type { INodeExecutionData } from 'n8n-workflow';

/** Shared by the tests of Dify App. */
export const executeApp = async (
	sim: DifySim,
	parameters: Record<string, unknown>,
	setup: Setup = {},
): Promise<INodeExecutionData[]> => await executeNode('difyApp', sim, { ...setup, parameters });
export const createBinaryItem = (
	fileName: string,
	mimeType: string,
	content: string | Buffer = 'sound',
): {
	json: {};
	binary: {
		data: {
			data: string;
			mimeType: string;
			fileName: string;
		};
	};
} => ({
	json: {},
	binary: { data: binaryFile(content, fileName, mimeType) },
});
export const startChatApp = async (overrides: Partial<AppSpec> = {}): Promise<DifySim> =>
	await startApp({ mode: 'chat', ...overrides });
