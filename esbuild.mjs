/*
 * Builds the bundles into dist/ and, with --tests, the tests into out/.
 * google.js is an entry of its own: import() alone does not split a CommonJS bundle.
 */
import * as esbuild from 'esbuild';
import { cp, glob, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
