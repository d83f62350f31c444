import path from 'node:path';
import * as url from 'node:url';
import * as vm from 'node:vm';

const importNatively = vm.runInThisContext('(specifier) => import(specifier)', {
	importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as (specifier: string) => Promise<unknown>;

/**
 * Loads a module of `scripts` or `bench`. These are ES modules, which jest (CommonJS) cannot load, so Node's own loader is
 * used.
 *
 * @param file path from the repository's root, without `.mjs`
 */
export async function loadModule<T>(file: string): Promise<T> {
	return (await importNatively(url.pathToFileURL(path.resolve(`${file}.mjs`)).href)) as T;
}

/**
 * Loads a module of `scripts/lib`.
 *
 * @param name path in it without `.mjs`
 */
export async function loadScript<T>(name: string): Promise<T> {
	return await loadModule<T>(`scripts/lib/${name}`);
}
