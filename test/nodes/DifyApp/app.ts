import { startApp } from '../../lib/dify/client';
import type { AppSpec, DifySim } from '../../simulators/dify';
import { executeNode, type Setup } from '../dify';

/** Shared by the tests of Dify App. */
export const run = async (sim: DifySim, parameters: Record<string, unknown>, setup: Setup = {}) =>
	await executeNode('difyApp', sim, { ...setup, parameters });
export const binaryItem = (fileName: string, mimeType: string, content = 'sound') => ({
	json: {},
	binary: { data: { data: Buffer.from(content).toString('base64'), mimeType, fileName } },
});
export const chatApp = async (more: Partial<AppSpec> = {}) =>
	await startApp({ mode: 'chat', ...more });
