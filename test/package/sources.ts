/** The source files and the nodes that the tests of the package read. */
import type { ICredentialType, INodeType } from 'n8n-workflow';

import * as fs from 'node:fs';
import path from 'node:path';

/** Paths of all files below folders whose names match. */
export const filesIn = (folders: readonly string[], name: RegExp): string[] =>
	folders.flatMap((folder) =>
		fs
			.readdirSync(folder, { recursive: true, encoding: 'utf8' })
			.filter((file) => name.test(file))
			.map((file) => path.join(folder, file)),
	);

/** All TypeScript files of what is shipped. */
export const SOURCES = filesIn(['lib', 'nodes', 'credentials'], /\.ts$/);

export const read = (file: string): string => fs.readFileSync(file, 'utf8');

/** The folders of the nodes. */
export const NODES = fs
	.readdirSync('nodes')
	.filter((folder) => fs.existsSync(`nodes/${folder}/${folder}.node.ts`));

export async function loadNode(folder: string): Promise<INodeType> {
	const file = path.resolve('nodes', folder, `${folder}.node`);
	const exported = (await import(file)) as Record<string, new () => INodeType>;
	return new exported[folder]!();
}

export async function loadCredentials(): Promise<ICredentialType[]> {
	const files = filesIn(['credentials'], /\.credentials\.ts$/);
	const modules = await Promise.all(
		files.map(async (file) => (await import(path.resolve(file))) as object),
	);
	return modules.flatMap((exported) =>
		Object.values(exported).map((Made: new () => ICredentialType) => new Made()),
	);
}
